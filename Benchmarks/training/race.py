"""A race of a plan: for each objective every contender's search, and the final of the best settings over all seeds."""

from contenders import Contender
from objective import objectives
from search import Search
from space import label


def measure(setup, race):
    """What the plan is, with every search, and the runs of the final."""
    race = setup.quick_race(race) if setup.quick else race
    contenders = [Contender(given, race, setup) for given in race["contenders"]
                  if setup.has_peers or "peer" not in given]
    heats = [heat(setup, race, contenders, objective) for objective in objectives(race)]
    setup.processes.close()
    # (where a plan is on this machine is nobody's matter)
    shown = [{k: v for k, v in given.items() if k != "file"} for given in race["contenders"]]
    return {"plan": race | {"contenders": shown}, "evaluations": setup.evaluations, "seeds": setup.seeds, "heats": heats}


def heat(setup, race, contenders, objective):
    searches, finalists = [], []
    # (a search has hundreds of short runs: only the final waits before each)
    setup.processes.quiet, quiet = 0, setup.processes.quiet
    for contender in contenders:
        setup.processes.say(f"-- {race['race']}, {objective.name}: search for {contender.name}")
        search = Search(contender, objective, race["search"])
        searches.append({"contender": contender.name, "ours": contender.is_ours} | search.run()
                        | {"undecided": search.is_undecided()})
        finalists += [
            {"contender": contender.name, "ours": contender.is_ours, "setting": setting, "label": label(setting),
             "runner": contender, "runs": []} for setting in search.finalists()]
    setup.processes.quiet = quiet
    limits = objective.limits(1.0, race.get("seconds"))
    for seed in setup.seeds:
        # (by turns, so that no stretch of time favours a side)
        for finalist in finalists:
            run = finalist["runner"].run(finalist["setting"], seed, **limits)
            finalist["runs"].append(run)
    for finalist in finalists:
        del finalist["runner"]
    return {"objective": objective.name, "searches": searches, "finalists": finalists}
