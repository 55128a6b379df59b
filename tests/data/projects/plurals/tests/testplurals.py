import unittest

from plurals import count, ordinal, plural


class PluralTest(unittest.TestCase):
    def test_common_words(self):
        self.assertEqual(plural("cat"), "cats")
        self.assertEqual(plural("box"), "boxes")
        self.assertEqual(plural("city"), "cities")

    def test_odd_words(self):
        self.assertEqual(plural("mouse"), "mice")


class NumberTest(unittest.TestCase):
    def test_ordinals(self):
        for number, text in ((1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (21, "21st")):
            with self.subTest(number):
                self.assertEqual(ordinal(number), text)

    def test_counts(self):
        self.assertEqual(count(1, "cat"), "1 cat")
        self.assertEqual(count(2, "cat"), "2 cats")


def load_tests(loader, tests, pattern):
    suite = unittest.TestSuite()
    for case in (PluralTest, NumberTest):
        suite.addTests(loader.loadTestsFromTestCase(case))
    return suite


if __name__ == "__main__":
    unittest.main()
