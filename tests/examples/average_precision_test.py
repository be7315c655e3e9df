"""tests/examples/average_precision_test.py - average precision of examples/python/detect_raccoons.py, by hand and by brute force."""

import importlib.util
import pathlib
import random
import unittest

path = pathlib.Path(__file__).parents[2] / "examples" / "python" / "detect_raccoons.py"
spec = importlib.util.spec_from_file_location("detect_raccoons", path)
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)

BOX = (0, 0, 10, 10)
FAR = (100, 100, 110, 110)


class AveragePrecision(unittest.TestCase):
    def test_iou_is_that_of_areas(self):
        self.assertEqual(example.iou(BOX, BOX), 1)
        self.assertEqual(example.iou(BOX, FAR), 0)
        self.assertAlmostEqual(example.iou(BOX, (5, 0, 15, 10)), 50 / 150)
        self.assertAlmostEqual(example.iou((0, 0, 4, 4), (2, 1, 6, 3)), 4 / (16 + 8 - 4))

    # Four truths in two images; in the order of the scores right, wrong, right, a second find of the first, right:
    # precision 1, 1/2, 2/3, 1/2, 3/5 at recall 1/4, 1/4, 1/2, 1/2, 3/4. The area below the best to the right of each
    # recall is 1/4 * 1 + 1/4 * 2/3 + 1/4 * 3/5 = 17/30 * ... = 0.566667.
    def test_by_hand(self):
        truths = [[BOX, (20, 0, 30, 10)], [BOX, (40, 0, 50, 10)]]
        found = [[(0.9, BOX), (0.8, FAR), (0.6, (0, 0, 10, 9))], [(0.7, BOX), (0.5, (41, 0, 50, 10))]]
        self.assertAlmostEqual(example.average_precision(found, truths), (1 + 2 / 3 + 3 / 5) / 4)

    def test_what_is_perfect_is_one_and_nothing_found_is_nothing(self):
        truths = [[BOX], [], [FAR]]
        self.assertEqual(example.average_precision([[(0.2, BOX)], [], [(0.1, FAR)]], truths), 1)
        self.assertEqual(example.average_precision([[], [], []], truths), 0)
        self.assertEqual(example.average_precision([[(1.0, FAR)], [(0.9, BOX)], []], truths), 0)
        with self.assertRaises(ValueError):
            example.average_precision([[]], [[]])

    # The definition, word for word: the mean over the truths of the best precision at a recall of k / truths or more.
    def test_is_what_brute_force_says(self):
        rng = random.Random(1)
        for _ in range(200):
            truths = [[(30 * k, 0, 30 * k + 10, 10) for k in range(rng.randint(0, 3))] for _ in range(4)]
            if not any(truths):
                continue
            found = [
                [
                    (rng.random(), (30 * k + d, 0, 30 * k + 10 + d, 10))
                    for k, d in ((rng.randint(0, 3), rng.choice([0, 1, 6])) for _ in range(rng.randint(0, 5)))
                ]
                for _ in range(4)
            ]
            ordered = sorted(((s, i, b) for i, each in enumerate(found) for s, b in each), reverse=True)
            taken, hits = set(), []
            for _, i, box in ordered:
                key = (i, box[0] // 30 if box[0] % 30 < 4 else None)
                is_hit = key[1] is not None and key[1] < len(truths[i]) and key not in taken
                hits.append(is_hit)
                taken |= {key} if is_hit else set()
            total = sum(map(len, truths))
            precision = [sum(hits[:n]) / n for n in range(1, len(hits) + 1)]
            recall = [sum(hits[:n]) for n in range(1, len(hits) + 1)]
            expected = sum(
                max((p for p, r in zip(precision, recall) if r >= k), default=0) for k in range(1, total + 1)
            )
            self.assertAlmostEqual(example.average_precision(found, truths), expected / total)


if __name__ == "__main__":
    unittest.main()
