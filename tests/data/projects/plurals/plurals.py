"""English words for numbers of things."""

_ODD = {"child": "children", "mouse": "mice", "foot": "feet"}


def plural(word):
    """More than one of it."""
    if word in _ODD:
        return _ODD[word]
    if word.endswith("y"):
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    return word + "s"


def ordinal(number):
    """1st, 2nd, 3rd and so on."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{endings.get(number % 10, 'th')}"


def count(number, word):
    """A number of things."""
    return f"{number} {word if number == 1 else plural(word)}"
