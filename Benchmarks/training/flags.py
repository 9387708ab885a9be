"""What `fisher train` says in --help that it takes, and whether flags of a plan are among that."""

import re
import shlex


def parse(text):
    """Each flag of a --help text with its values, where the text lists them, or None.

    >>> text = "  --rate, --lr <g>  Rate, as in\\n   --other.\\n  --kind <name>  Kind. (values: a,\\n   b; default: a)"
    >>> parse(text)
    {'--rate': None, '--lr': None, '--kind': ['a', 'b']}
    """
    found, names, said = {}, [], ""
    for line in text.splitlines() + ["  --"]:
        if re.match(r"  -", line):
            values = re.search(r"\(values: ([^;)]*)", said)
            found |= {name: re.split(r",\s*", values[1].strip()) if values else None for name in names}
            names, said = re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", re.split(r"\s{2,}", line.strip())[0]), ""
        said += " " + line.strip()
    return found


def complaint(known, words):
    """What is wrong with the words of a command, as "expected …, found …", or None.

    >>> known = {"--kind": ["a", "b"], "--rate": None}
    >>> complaint(known, ["--kind", "a", "--rate", "-1"]), complaint(known, ["--rat", "1"])
    (None, 'expected flags of this `fisher train`, found --rat, which it has not')
    >>> complaint(known, ["--kind", "c"])
    'expected a or b for --kind of this `fisher train`, found c'
    """
    for word, following in zip(words, words[1:] + [""]):
        if not word.startswith("--"):
            continue
        if word not in known:
            return f"expected flags of this `fisher train`, found {word}, which it has not"
        if known[word] and following not in known[word]:
            return f"expected {' or '.join(known[word])} for {word} of this `fisher train`, found {following}"
    return None


def words(setting):
    """The flags of a setting: true is a flag alone, false and null none.

    >>> words({"--rank": 48, "--spread-refresh": True, "--batch-norm": False, "--rate": 0.05})
    ['--rank', '48', '--spread-refresh', '--rate', '0.05']
    """
    found = []
    for flag, value in setting.items():
        if value is True:
            found.append(flag)
        elif value is not None and value is not False:
            found += [flag, f"{value:.10g}" if isinstance(value, float) else str(value)]
    return found


def split(text):
    """As a shell does it.

    >>> split("--metric auto --kind 'a b'")
    ['--metric', 'auto', '--kind', 'a b']
    """
    return shlex.split(text)
