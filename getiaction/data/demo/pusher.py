"""A scripted demonstrator for gym-pusht that plans one push at a time in a copy of the physics.

For points along the outline of the T it simulates straight pushes, selects the push that brings the corners of the T
nearest to their goal, moves around the T to its start, pushes, and plans again. Contacts in gym-pusht are frictionless
and the T stops when the pusher does, so the simulated result is exact to the pixel.
"""

import heapq
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from gym_pusht.envs import PushTEnv
from shapely.geometry import LineString, Polygon
from shapely.geometry import Point as Spot
from shapely.geometry.polygon import orient
from shapely.ops import unary_union

RADIUS = 15  # of the pusher
GAP = 8  # between the pusher and the T at the start of a push and on the way there
LENGTHS = (9, 18, 27, 36, 54, 72, 99, 126, 162)  # of the pushes tried
SETTLE = 4  # steps until the pusher has reached a constant target
ROOM = (24, 488)  # coordinates of the pusher that do not touch a wall

Point = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """How to choose and perform pushes; the defaults bring the T as close to its goal as possible.

    Args:
        walk: pixels that the target moves per step on the way to a push.
        push: the same during a push.
        spacing: pixels between the points of the outline at which pushes are tried.
        walk_cost: pixels of error that one pixel of way to the push costs; 0 ignores the length of the way.
        least_gain: smallest reduction of the error, in pixels, for which a push is performed.
    """

    walk: int = 18
    push: int = 9
    spacing: int = 12
    walk_cost: float = 0.0
    least_gain: float = 0.1


# Fewer kinds of pushes, near ones preferred, and no small corrections: easier to learn from.
DIRECT = Style(walk=24, push=12, spacing=30, walk_cost=0.05, least_gain=1.5)


@dataclass(frozen=True)
class Push:
    """A straight push: start, direction and length of the target's motion, and the remaining error.

    `cost` is the error plus the cost of the way to the start.
    """

    start: Point
    direction: Point
    length: float
    error: float
    cost: float


class Pusher:
    """Plans and performs the pushes that bring the T to its goal.

    Args:
        env: An environment that has been reset; its physics are read, never changed.
        style: How to choose and perform pushes.
    """

    def __init__(self, env: PushTEnv, style: Style | None = None) -> None:
        self.env = env
        self.style = style or Style()
        self.trial = PushTEnv(obs_type="state")
        self.trial.reset(seed=0)
        bar_and_stem = [Polygon(shape.get_vertices()) for shape in env.block.shapes]
        self.corners = list(orient(unary_union(bar_and_stem)).simplify(0).exterior.coords)[:-1]
        goal = env.get_goal_pose_body(env.goal_pose)
        self.goal = np.array([goal.local_to_world(corner) for corner in self.corners])

    def actions(self) -> Iterator[tuple[int, int]]:
        """Yield targets for the pusher, in whole pixels as from a mouse, until no push reduces the error enough."""
        while (push := self._plan()) is not None:
            path = self._path(tuple(self.env.agent.position), push.start, self._outline())
            assert path is not None
            yield from _pixels(_along(path, self.style.walk))
            # Pushes are simulated from rest, so wait until the pusher stops.
            yield from self._arrive(push.start)
            end = _ahead(push.start, push.direction, push.length)
            yield from _pixels(_along([push.start, end], self.style.push))
            yield from self._arrive(end)

    def _arrive(self, target: Point) -> Iterator[tuple[int, int]]:
        """Yield the same target until the pusher has reached it."""
        for _ in range(SETTLE):
            if math.dist(self.env.agent.position, target) < 1:
                break
            yield _pixel(target)

    def _plan(self) -> Push | None:
        """The best push from the current state, or None if none reduces the error enough."""
        state = _state(self.env)
        outline = self._outline()
        pushes: list[Push] = []
        enough = self._error(self.env) - self.style.least_gain
        for contact, normal in _contacts(outline, self.style.spacing):
            start = _pixel(_ahead(contact, normal, RADIUS + GAP))
            path = self._path(state[0], start, outline) if self._free(start, outline) else None
            if path is not None:
                way = sum(math.dist(a, b) for a, b in itertools.pairwise(path))
                pushes += self._try(state, start, (-normal[0], -normal[1]), self.style.walk_cost * way)
        worth_it = (push for push in pushes if push.error < enough)
        return min(worth_it, key=lambda push: push.cost, default=None)

    def _try(self, state: tuple[Any, ...], start: Point, direction: Point, way: float) -> Iterator[Push]:
        """Simulate pushes of all lengths from `start`; `way` is the cost of the way there."""
        trial = self.trial
        _restore(trial, (start, (0, 0), *state[2:]))
        gone = 0.0
        for length in LENGTHS:
            end = _ahead(start, direction, length)
            if not _inside(end):
                return
            while gone < length:
                gone += self.style.push
                _drive(trial, _pixel(_ahead(start, direction, gone)))
            moving = _state(trial)
            for _ in range(SETTLE):
                _drive(trial, _pixel(end))
            error = self._error(trial)
            yield Push(start, direction, length, error, error + way)
            _restore(trial, moving)

    def _error(self, env: PushTEnv) -> float:
        """Mean distance in pixels between the corners of the T and their goals."""
        corners = np.array([env.block.local_to_world(corner) for corner in self.corners])
        return float(np.linalg.norm(corners - self.goal, axis=1).mean())

    def _outline(self) -> Polygon:
        return Polygon([self.env.block.local_to_world(corner) for corner in self.corners])

    def _free(self, point: Point, outline: Polygon) -> bool:
        return _inside(point) and outline.distance(Spot(point)) > RADIUS + GAP / 2

    def _path(self, start: Point, end: Point, outline: Polygon) -> list[Point] | None:
        """The shortest path around the T, as corner points, or None if none is inside the walls."""
        obstacle = outline.buffer(RADIUS + GAP - 2, join_style="mitre")
        wide = outline.buffer(RADIUS + GAP, join_style="mitre")
        inner = outline.buffer(RADIUS - 2)
        nodes = [start, end, *filter(_inside, wide.exterior.coords[:-1])]

        def clear(a: int, b: int) -> bool:
            line = LineString([nodes[a], nodes[b]])
            # The ends may be closer to the T than the rest of the path.
            return not line.intersects(obstacle) if min(a, b) > 1 else not line.intersects(inner)

        queue: list[tuple[float, int, list[int]]] = [(0.0, 0, [0])]
        done: set[int] = set()
        while queue:
            cost, node, way = heapq.heappop(queue)
            if node == 1:
                return [nodes[i] for i in way]
            if node in done:
                continue
            done.add(node)
            for other in range(len(nodes)):
                if other not in done and clear(node, other):
                    heapq.heappush(queue, (cost + math.dist(nodes[node], nodes[other]), other, [*way, other]))
        return None


def _contacts(outline: Polygon, spacing: int) -> Iterator[tuple[Point, Point]]:
    """Points along the outline with their outward normals."""
    ring = list(outline.exterior.coords)
    for (ax, ay), (bx, by) in itertools.pairwise(ring):
        length = math.dist((ax, ay), (bx, by))
        normal = ((by - ay) / length, (ax - bx) / length)
        count = max(1, round(length / spacing))
        for i in range(count):
            t = (i + 0.5) / count
            yield (ax + (bx - ax) * t, ay + (by - ay) * t), normal


def _along(path: list[Point], speed: float) -> Iterator[Point]:
    """Points `speed` apart along `path`, including its end."""
    for a, b in itertools.pairwise(path):
        steps = max(1, math.ceil(math.dist(a, b) / speed))
        for i in range(1, steps + 1):
            yield a[0] + (b[0] - a[0]) * i / steps, a[1] + (b[1] - a[1]) * i / steps


def _inside(point: Point) -> bool:
    return all(ROOM[0] <= value <= ROOM[1] for value in point)


def _ahead(point: Point, direction: Point, length: float) -> Point:
    return point[0] + direction[0] * length, point[1] + direction[1] * length


def _pixel(point: Point) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def _pixels(points: Iterator[Point]) -> Iterator[tuple[int, int]]:
    return map(_pixel, points)


def _state(env: PushTEnv) -> tuple[Any, ...]:
    block = env.block
    return (
        tuple(env.agent.position),
        tuple(env.agent.velocity),
        block.angle,
        tuple(block.position),
        tuple(block.velocity),
        block.angular_velocity,
    )


def _restore(env: PushTEnv, state: tuple[Any, ...]) -> None:
    env.agent.position, env.agent.velocity = state[:2]
    # The angle first: the T turns about its centre of gravity, which moves its position.
    env.block.angle, env.block.position, env.block.velocity, env.block.angular_velocity = state[2:]
    env.space.reindex_shapes_for_body(env.agent)
    env.space.reindex_shapes_for_body(env.block)


def _drive(env: PushTEnv, target: Point) -> None:
    """Step the physics as `PushTEnv.step` does, without computing observations."""
    for _ in range(round(1 / (env.dt * env.control_hz))):
        pull = env.k_p * (np.array(target) - env.agent.position) - env.k_v * np.array(env.agent.velocity)
        env.agent.velocity += env.agent.velocity.__class__(*(pull * env.dt))
        env.space.step(env.dt)
