"""Roman numerals."""

_SIGNS = [("M", 1000), ("D", 500), ("CD", 400), ("C", 100), ("XC", 90), ("L", 50), ("XL", 40)]
_SIGNS += [("X", 10), ("IX", 9), ("V", 5), ("IV", 4), ("I", 1)]


def write(number):
    """The numeral of a number.

    >>> write(14)
    'XIV'
    >>> write(2026)
    'MMXXVI'
    """
    text = ""
    for sign, value in _SIGNS:
        while number >= value:
            text += sign
            number -= value
    return text


def read(text):
    """The number of a numeral.

    >>> read("XIV")
    14
    """
    rest, number = text, 0
    for sign, value in _SIGNS:
        while rest.startswith(sign):
            rest, number = rest[len(sign):], number + value
    return number


def add(one, other):
    """The sum of two numerals.

    >>> add("II", "III")
    'V'
    """
    return write(read(one) + read(other))
