"""A contender of a plan, ours or a peer's, run with a setting."""

import flags


class Contender:
    def __init__(self, given, race, setup):
        self.given, self.race, self.setup = given, race, setup
        self.name, self.is_ours = given["name"], "peer" not in given

    def run(self, setting, seed, share=1.0, seconds=None, target=None, wall=None):
        """`share` of the race's epochs, and of the horizons, is run; fewer where one of the others ends it."""
        wall = 600.0 if wall is None else max(1.0, wall)
        ends = {"seconds": seconds, "target": target, "wall": wall}
        return (self.ours if self.is_ours else self.peers)(setting, seed, share, ends)

    def ours(self, setting, seed, share, ends):
        arguments = flags.split(self.given["flags"]) + flags.words(setting)
        epochs, batch, rest = self.race["epochs"], 50, []
        for flag, value in zip(arguments, arguments[1:] + [""]):
            if flag == "--epochs":
                epochs = min(epochs, int(value))
            elif flag == "--batch":
                batch = int(value)
        # (the number of epochs is said once)
        for i, word in enumerate(arguments):
            if word != "--epochs" and (i == 0 or arguments[i - 1] != "--epochs"):
                rest.append(word)
        widths = [self.setup.inputs, *self.race["hidden"], 10]
        network = ["--model", self.race["model"]] if "model" in self.race else ["--shape", ",".join(map(str, widths))]
        rest += [*network, "--quiet"]
        per_epoch = max(1, self.setup.count // batch)
        if self.setup.evaluations > 1:
            rest += ["--evaluate-every", max(1, per_epoch // self.setup.evaluations)]
        return self.setup.processes.fisher(
            self.name, rest, data=self.setup.data, seed=seed, epochs=max(1, round(epochs * share)),
            per_epoch=per_epoch, **ends)

    def peers(self, setting, seed, share, ends):
        setting = dict(setting)
        if setting.get("horizon"):
            setting["horizon"] *= share
        return self.setup.processes.peer(
            peer=self.given["peer"], optimizer=self.given["optimizer"], setting=setting, seed=seed,
            data=self.setup.data, hidden=self.race["hidden"], model=self.race.get("model"), epochs=self.race["epochs"] * share,
            evaluations=self.setup.evaluations, **ends)
