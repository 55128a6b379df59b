def count(text):
    """Word -> how often it occurs."""
    found = {}
    for word in text.lower().split():
        found[word] = found.get(word, 0) + 1
    return found


def ranked(found):
    """Words and numbers, the most frequent first; a draw goes by the alphabet."""
    return sorted(found.items(), key=lambda pair: (str(pair[1]), pair[0]), reverse=True)
