"""Average precision on cases that can be counted by hand, and against scikit-learn's curve and COCO's evaluator."""

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor

from neurosym_lite.data.scenes import Scenes
from neurosym_lite.evaluation.detection import average_precision, box_iou, detection, match, mean_average_precision
from neurosym_lite.latents import Boxes, Detection
from neurosym_lite.models.gnm import GNM
from tests.models.test_gnm import SMALL


def box(*corners: float) -> list[float]:
    return [float(corner) for corner in corners]


def test_iou_of_known_boxes() -> None:
    found = torch.tensor([[box(0, 0, 2, 2), box(5, 5, 6, 6), box(0, 0, 1, 1)]])
    true = torch.tensor([[box(1, 0, 3, 2)]])
    torch.testing.assert_close(box_iou(found, true)[0, :, 0], torch.tensor([1 / 3, 0.0, 0.0]))
    assert float(box_iou(true, true)) == 1.0


def test_a_box_of_no_size_overlaps_nothing() -> None:
    nothing = torch.zeros(1, 1, 4)
    assert float(box_iou(nothing, nothing)) == 0.0


def test_a_true_box_is_taken_once_by_the_most_confident() -> None:
    iou = torch.tensor([[[0.9], [0.8]]])
    hits = match(iou, torch.tensor([[0.3, 0.7]]), torch.tensor([[True]]), 0.5)
    assert hits.tolist() == [[False, True]]


def test_an_absent_true_box_cannot_be_hit() -> None:
    hits = match(torch.ones(1, 1, 1), torch.ones(1, 1), torch.tensor([[False]]), 0.5)
    assert hits.tolist() == [[False]]


def test_perfect_boxes_score_one_and_shifted_ones_fall_with_the_threshold() -> None:
    true = torch.rand(20, 4, 2) * 40
    true = torch.cat([true, true + 10], dim=-1)
    present = torch.ones(20, 4, dtype=torch.bool)
    assert average_precision(true, torch.rand(20, 4), true, present) == 1.0
    shifted = true + torch.tensor([2.0, 0.0, 2.0, 0.0])  # IoU 8 / 12 = 0.667
    assert average_precision(shifted, torch.rand(20, 4), true, present, 0.65) > 0.9
    assert average_precision(shifted, torch.rand(20, 4), true, present, 0.7) < 0.2
    # 0.50, 0.55, 0.60, 0.65 of ten thresholds are passed (up to a lucky neighbour)
    assert 0.38 < mean_average_precision(shifted, torch.rand(20, 4), true, present) < 0.45


def test_eleven_points_by_hand() -> None:
    # ranked: hit, miss, hit, miss; two true boxes: precision 1 up to recall 1/2, then 2/3 up to 1
    true = torch.tensor([[box(0, 0, 10, 10), box(20, 0, 30, 10)]])
    found = torch.tensor([[box(0, 0, 10, 10), box(50, 50, 60, 60), box(20, 0, 30, 10), box(70, 0, 80, 9)]])
    confidence = torch.tensor([[0.9, 0.8, 0.7, 0.1]])
    expected = (6 * 1.0 + 5 * 2 / 3) / 11
    assert average_precision(found, confidence, true, torch.ones(1, 2).bool()) == pytest.approx(expected)


def test_missing_half_the_objects_halves_the_score() -> None:
    true = torch.tensor([[box(0, 0, 10, 10), box(20, 0, 30, 10)]])
    score = average_precision(true[:, :1], torch.ones(1, 1), true, torch.ones(1, 2).bool())
    assert score == pytest.approx(6 / 11)


def test_confidence_ranks_over_all_images() -> None:
    true = torch.tensor([[box(0, 0, 10, 10)], [box(0, 0, 10, 10)]])
    found = torch.tensor([[box(0, 0, 10, 10)], [box(30, 30, 40, 40)]])
    present = torch.ones(2, 1).bool()
    good_first = average_precision(found, torch.tensor([[0.9], [0.1]]), true, present)
    bad_first = average_precision(found, torch.tensor([[0.1], [0.9]]), true, present)
    assert good_first == pytest.approx(6 / 11) and bad_first == pytest.approx(3 / 11)


def test_without_a_true_box_there_is_no_score() -> None:
    with pytest.raises(ValueError, match="at least one true box"):
        average_precision(torch.zeros(1, 1, 4), torch.ones(1, 1), torch.zeros(1, 1, 4), torch.zeros(1, 1).bool())


def test_a_recall_of_three_tenths_reaches_its_point() -> None:
    true = torch.tensor([[[20.0 * k, 0.0, 20.0 * k + 10, 10.0] for k in range(10)]])
    score = average_precision(true[:, :3], torch.ones(1, 3), true, torch.ones(1, 10).bool())
    assert score == pytest.approx(4 / 11)


def coco_average_precision(
    found: torch.Tensor, confidence: torch.Tensor, true: torch.Tensor, present: torch.Tensor, threshold: float
) -> float:
    """The same boxes judged by COCO's own evaluator, at 101 recalls."""

    def as_coco(corners: torch.Tensor) -> list[float]:
        x0, y0, x1, y1 = corners.tolist()
        return [x0, y0, x1 - x0, y1 - y0]

    images = [{"id": i + 1} for i in range(len(found))]
    objects = [
        {"image_id": i + 1, "category_id": 1, "bbox": as_coco(true[i, j]), "area": 1.0, "iscrowd": 0}
        for i, j in present.nonzero().tolist()
    ]
    for number, thing in enumerate(objects):
        thing["id"] = number + 1
    finds = [
        {"image_id": i + 1, "category_id": 1, "bbox": as_coco(found[i, k]), "score": float(confidence[i, k])}
        for i in range(len(found))
        for k in range(found.shape[1])
    ]
    truth = COCO()
    truth.dataset = {"images": images, "annotations": objects, "categories": [{"id": 1}]}
    truth.createIndex()
    judge = COCOeval(truth, truth.loadRes(finds), "bbox")
    judge.params.iouThrs, judge.params.maxDets = np.array([threshold]), [found.shape[1]]
    judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e9]], ["all"]
    judge.evaluate()
    judge.accumulate()
    return float(judge.eval["precision"].mean())


@pytest.mark.parametrize("threshold", [0.5, 0.75])
@pytest.mark.parametrize("noise", [0.7, 1.5])
def test_at_101_points_it_is_cocos(threshold: float, noise: float, capsys: pytest.CaptureFixture) -> None:
    corner, size = 50 * torch.rand(30, 5, 2), 8 + 6 * torch.rand(30, 5, 2)
    true = torch.cat([corner, corner + size], dim=-1)
    present = torch.rand(30, 5) < 0.7
    extra = torch.cat([50 * torch.rand(30, 3, 2)] * 2, dim=-1) + torch.tensor([0.0, 0.0, 10.0, 10.0])
    found = torch.cat([true + noise * torch.randn(30, 5, 4), extra], dim=1)
    found[..., 2:] = torch.maximum(found[..., 2:], found[..., :2] + 1)
    confidence = torch.rand(30, 8)
    ours = average_precision(found, confidence, true, present, threshold, points=101)
    assert 0.01 < ours < 0.95
    assert ours == pytest.approx(coco_average_precision(found, confidence, true, present, threshold), abs=5e-3)
    eleven = average_precision(found, confidence, true, present, threshold)
    assert eleven == pytest.approx(ours, abs=0.06)


def test_a_box_at_the_threshold_is_a_hit() -> None:
    assert match(torch.tensor([[[0.5]]]), torch.ones(1, 1), torch.tensor([[True]]), 0.5).all()


def test_the_last_threshold_is_095() -> None:
    true = torch.tensor([[[0.0, 0.0, 10.0, 10.0]]])
    off = torch.tensor([[[0.0, 0.0, 10.0, 9.2]]])  # IoU 0.92: passes 0.50, 0.55, ..., 0.90, nine of ten
    assert mean_average_precision(off, torch.ones(1, 1), true, torch.ones(1, 1).bool()) == pytest.approx(0.9)


class Finder(GNM):
    """Finds what it is told."""

    def detect(self, images: Tensor) -> Detection:
        return self.found


def test_detection_by_hand() -> None:
    true = torch.tensor([[[0.0, 0.0, 10.0, 10.0], [20.0, 0.0, 30.0, 10.0]]] * 3)
    scenes = Scenes(
        torch.zeros(3, 1, 64, 64, dtype=torch.uint8), true, torch.ones(3, 2).long(), torch.ones(3, 2).bool()
    )
    model = Finder(SMALL)
    present = torch.tensor([[True, True], [True, False], [False, False]])
    model.found = Detection(
        Boxes(true, present), torch.tensor([[0.9, 0.8], [0.9, 0.4], [0.3, 0.2]]), torch.zeros(3, 1, 64, 64)
    )
    found = detection(model, scenes)
    assert found["count_mean"] == 1 and found["count_right"] == pytest.approx(1 / 3)
    assert found["ap50"] == found["ap50_95"] == 1  # boxes count by their confidence, below a half too


def test_boxes_that_are_thought_absent_count_by_their_confidence() -> None:
    true = torch.tensor([[[0.0, 0.0, 10.0, 10.0], [20.0, 0.0, 30.0, 10.0]]])
    there = torch.ones(1, 2)
    scenes = Scenes(torch.zeros(1, 1, 64, 64, dtype=torch.uint8), true, there.long(), there.bool())
    model, wrong = Finder(SMALL), torch.tensor([[[50.0, 50.0, 60.0, 60.0]]])
    found = Boxes(torch.cat([true, wrong], 1), torch.tensor([[True, False, True]]))
    model.found = Detection(found, torch.tensor([[0.9, 0.4, 0.2]]), torch.zeros(1, 1, 64, 64))
    assert detection(model, scenes)["ap50"] == 1
