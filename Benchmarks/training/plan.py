"""Reads plans: files in JSON that say what is raced, on what, and among which settings is searched.

A plan has "race", a name of letters, digits and "-", or "adds_to", a list of such names whose races get its contenders.
Everything is checked when it is read; what is wrong is refused by name, with what was expected and what was found.
"""

import inspect
import json
import re

import flags
import networks
import registry
import schedules

OBJECTIVES = ("time_to", "accuracy_to", "loss_after_epochs", "loss_after_seconds")
SEARCH = {"seconds": float, "wall": float, "settings": int, "brackets": int, "seeds": list, "draw": int}
SEARCH["finalists"] = int
RACE = {"race", "title", "about", "hidden", "model", "epochs", "seconds", "objective", "search", "contenders"}
OURS = {"name", "about", "flags", "space", "known"}
PEER = {"name", "about", "peer", "optimizer", "space", "known"}


class PlanError(Exception):
    """Of one line: what, where, expected, found."""


def refuse(where, expected, found):
    raise PlanError(f"{where}: expected {expected}, found {found}")


def read(paths):
    """The races of all files, in their order, as dictionaries; each contender has its file's path."""
    races, additions = {}, []
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                plan = json.load(file)
        except OSError as error:
            refuse(path, "a plan", error.strerror)
        except ValueError as error:
            refuse(path, "JSON", str(error).splitlines()[0])
        of_type(path, plan, dict, "an object")
        if "adds_to" in plan:
            members(path, plan, {"adds_to", "about", "contenders"}, {"adds_to", "contenders"})
            additions += [(path, name, plan) for name in of_type(f"{path}: adds_to", plan["adds_to"], list, "a list")]
        else:
            race(path, plan)
            if plan["race"] in races:
                refuse(f"{path}: race", "a name of its own", plan["race"])
            races[plan["race"]] = plan
        contenders(path, plan)
    for path, name, plan in additions:
        if name not in races:
            refuse(f"{path}: adds_to", " or ".join(races) or "the plan of a race beside it", name)
        races[name]["contenders"] = races[name]["contenders"] + plan["contenders"]
    for plan in races.values():
        names = [contender["name"] for contender in plan["contenders"]]
        for name in names:
            if names.count(name) > 1:
                refuse(f"race {plan['race']}: contenders", "names of their own", f"{name} twice")
    return list(races.values())


def race(path, plan):
    members(path, plan, RACE, RACE - {"about", "seconds", "model"} - ({"hidden"} if "model" in plan else set()))
    plan.setdefault("hidden", [])
    if not isinstance(plan["race"], str) or not re.fullmatch(r"[a-z0-9-]+", plan["race"]):
        refuse(f"{path}: race", "letters, digits and -", plan["race"])
    of_type(f"{path}: title", plan["title"], str, "text")
    for width in of_type(f"{path}: hidden", plan["hidden"], list, "a list of widths"):
        positive(f"{path}: hidden", width, int)
    if "model" in plan:
        choice(f"{path}: model", plan["model"], networks.MODELS)
    positive(f"{path}: epochs", plan["epochs"], int)
    if "seconds" in plan:
        positive(f"{path}: seconds", plan["seconds"])
    where, objective = f"{path}: objective", of_type(f"{path}: objective", plan["objective"], dict, "an object")
    members(where, objective, set(OBJECTIVES), set())
    if len(objective) != 1:
        refuse(where, f"one of {', '.join(OBJECTIVES)}", len(objective))
    if objective.get("loss_after_epochs", plan["epochs"]) != plan["epochs"]:
        found = objective["loss_after_epochs"]
        refuse(f"{where}: loss_after_epochs", f"the epochs of the race, {plan['epochs']}", found)
    for values in objective.values():
        for value in values if isinstance(values, list) else [values]:
            positive(where, value)
    where, search = f"{path}: search", of_type(f"{path}: search", plan["search"], dict, "an object")
    members(where, search, set(SEARCH), set(SEARCH))
    for name, kind in SEARCH.items():
        if kind is list:
            for seed in of_type(f"{where}: {name}", search[name], list, "a list of seeds"):
                of_type(f"{where}: {name}", seed, int, "a seed")
        else:
            positive(f"{where}: {name}", search[name], kind)


def contenders(path, plan):
    for contender in of_type(f"{path}: contenders", plan["contenders"], list, "a list"):
        of_type(f"{path}: contenders", contender, dict, "objects")
        where = f"{path}: {contender.get('name', 'a contender')}"
        if "peer" in contender:
            members(where, contender, PEER, {"name", "peer", "optimizer", "space"})
            choice(f"{where}: peer", contender["peer"], registry.OPTIMIZERS)
            choice(f"{where}: optimizer", contender["optimizer"], registry.OPTIMIZERS[contender["peer"]])
        else:
            members(where, contender, OURS, {"name", "flags", "space"})
            of_type(f"{where}: flags", contender["flags"], str, "text")
        of_type(f"{where}: name", contender["name"], str, "text")
        contender["file"] = path
        contender.setdefault("known", [])
        for name, values in of_type(f"{where}: space", contender["space"], dict, "an object").items():
            check_values(f"{where}: space: {name}", values)
        tried = [{k: values_of(v) for k, v in contender["space"].items()}] if contender["space"] else []
        for setting in of_type(f"{where}: known", contender["known"], list, "a list of settings"):
            of_type(f"{where}: known", setting, dict, "settings")
            tried.append({k: [v] for k, v in setting.items()})
        if not tried:
            refuse(where, "a space or known settings", "neither")
        for setting in tried:
            check_setting(where, contender, setting)


def values_of(values):
    return values if isinstance(values, list) else [values["from"], values["to"]]


def check_values(where, values):
    if isinstance(values, list) and values:
        return
    if not isinstance(values, dict):
        refuse(where, 'a list with values, or {"from": a, "to": b}', json.dumps(values))
    members(where, values, {"from", "to", "whole"}, {"from", "to"})
    for name in ("from", "to"):
        positive(f"{where}: {name}", values[name])
    if values["from"] > values["to"]:
        refuse(where, "from that is not above to", f"{values['from']} and {values['to']}")


def check_setting(where, contender, setting):
    """`setting` has for each name a list of the values that it may have."""
    if "peer" not in contender:
        for name in setting:
            if not re.fullmatch(r"--[a-z][a-z0-9-]*", name):
                refuse(where, "flags of `fisher train` as settings", name)
        return
    peer, optimizer = contender["peer"], contender["optimizer"]
    known = registry.settings(peer, optimizer)
    members(f"{where}: settings", setting, set(known), set(registry.needed(peer, optimizer)))
    function = registry.OPTIMIZERS[peer][optimizer]
    whole = {"batch"} | {k for k, p in inspect.signature(function).parameters.items() if type(p.default) is int}
    for name, values in setting.items():
        for value in (value for value in values if value is not None):
            if name == "schedule":
                schedule(f"{where}: schedule", value, optimizer)
            elif isinstance(value, bool) or not isinstance(value, int if name in whole else (int, float)) or value < 0:
                refuse(f"{where}: {name}", "whole numbers" if name in whole else "numbers from 0", json.dumps(value))


def schedule(where, value, optimizer):
    try:
        falls = schedules.decays(of_type(where, value, str, schedules.SYNTAX))
    except ValueError as error:
        raise PlanError(f"{where}: {error}") from None
    if falls and optimizer in registry.AVERAGED:
        refuse(where, f"constant or warm-up:N% of {optimizer}", value)


def check_flags(race, known):
    """Ours against what this build of the tool takes; `known` as flags.parse gives it."""
    for contender in race["contenders"]:
        if "flags" in contender:
            settings = [{k: v[0] if isinstance(v, list) else v["from"] for k, v in contender["space"].items()}]
            settings += [{k: v} for k, vs in contender["space"].items() if isinstance(vs, list) for v in vs]
            for setting in settings + contender["known"]:
                said = flags.complaint(known, flags.split(contender["flags"]) + flags.words(setting))
                if said:
                    raise PlanError(f"{contender['file']}: {contender['name']}: {said}")


def members(where, found, known, required):
    for name in found:
        if name not in known:
            refuse(where, f"members {', '.join(sorted(known))}", name)
    for name in sorted(required):
        if name not in found:
            refuse(where, f"a member {name}", "none")


def of_type(where, value, kind, expected):
    if not isinstance(value, kind) or isinstance(value, bool):
        refuse(where, expected, json.dumps(value)[:80])
    return value


def positive(where, value, kind=float):
    kinds = (int, float) if kind is float else int
    if isinstance(value, bool) or not isinstance(value, kinds) or value <= 0:
        if not (kind is int and value == 0 and where.endswith("draw")):
            refuse(where, "a number above 0" if kind is float else "a whole number above 0", json.dumps(value))


def choice(where, value, known):
    if not isinstance(value, str) or value not in known:
        refuse(where, " or ".join(known), json.dumps(value))
