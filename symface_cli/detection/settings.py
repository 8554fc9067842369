"""How faces are searched for: sizes, steps, and how many windows of the detector must agree."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """Numbers of the Viola-Jones search.

    `px` are pixels of the searched copy of the photo, `widths` are widths of a window or box. A window is a place that
    looks like a face to a cascade; many that overlap agree on one.

    Attributes:
        longest_side_px: Larger photos are searched on a copy of this size.
        min_face_px: Smallest face to detect, as the width of its box.
        min_face_thorough_px: The same for a thorough search, which takes half as long as with 40 px.
        scale_step: Factor from one width of windows to the next.
        min_neighbors: More windows than these must agree on a face.
        group_tolerance_widths: How far windows that agree may differ; OpenCV's search has no other.
        pooled_tolerance_widths: The same for windows of several cascades, which lie a little further apart.
        merge_widths: Proposals whose centers are closer than this are one.
        enough_of_a_quarter: Windows of a quarter of them, tried first, that are enough for a face without the others.
        enough_of_a_pooled_quarter: The same for the windows of all cascades together.
        stricter_stages: By how much the sums of the first cascade's first stages have to be larger for a proposal of
            the first look. On LFW, 96 % of its proposals of faces pass, and those of all faces that it is sure of;
            windows elsewhere pass 24 instead of 38 tests of brightness in the mean.
        search_radius_widths: How far from a proposal's center windows are tried: 98 % of those on LFW's faces lie
            within.
        max_empty_levels: Levels in a row without windows, after which no more are tried.
        min_pooled_share: Of the most windows of all cascades that agree on a face: so many must agree on another.
        enough_pooled_windows: Windows of all cascades that are enough for another face in any case.
        sure_windows: So many agree on 97 % of LFW's faces, but hardly ever on anything in photos on their side.
        min_windows_beside_sure: Windows that must agree on a face in a photo that has a sure one.
        sure_pooled_windows: Windows of all cascades on an upright face, after which no tilted one is looked for.
        roll_degrees: Clockwise turns of the photo that are tried where no upright face is sure.
        contrast_limit: How much contrast is raised at most where no face is found, in mean bins of a histogram.
        contrast_tiles: Parts of the image, across and down, that have a histogram of their own.
        min_windows_by_contrast: Windows of all cascades that must agree on a face there. In none of 432 photos without
            a face do so many agree, in 12 at least 4.
    """

    longest_side_px: int = 640
    min_face_px: int = 40
    min_face_thorough_px: int = 60
    scale_step: float = 1.1
    min_neighbors: int = 3
    group_tolerance_widths: float = 0.2
    pooled_tolerance_widths: float = 0.3
    merge_widths: float = 0.2
    enough_of_a_quarter: int = 6
    enough_of_a_pooled_quarter: int = 12
    stricter_stages: tuple[float, ...] = (0.1, 0.7, 0.1, 0.0, 0.15, 0.2)
    search_radius_widths: float = 0.15
    max_empty_levels: int = 2
    min_pooled_share: float = 0.5
    enough_pooled_windows: int = 20
    sure_windows: int = 12
    min_windows_beside_sure: int = 6
    sure_pooled_windows: int = 40
    roll_degrees: tuple[float, ...] = (90.0, -90.0, 180.0, -20.0, 20.0, -40.0, 40.0)
    contrast_limit: float = 3.0
    contrast_tiles: tuple[int, int] = (8, 8)
    min_windows_by_contrast: int = 8


SEARCH = SearchSettings()
"""The settings that symface's numbers were measured with."""
