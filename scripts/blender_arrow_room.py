"""Draws Arrow Room scenes in Blender: `python -m scripts.blender_arrow_room rooms.npz --out blender.npz`.

Takes scenes of `neurosym_lite data arrow-room` and draws the same rooms, camera and lamps with Blender's path tracer,
Cycles. With --book the two go onto the book's page: a picture, ours above Blender's, and how far they are apart.
Optional: it needs `pip install bpy` (Blender as a Python module, GPL-3, 370 MB, Python 3.11) and two to three seconds
of a core a scene. Nothing else in the project needs it.
"""

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from neurosym_lite.commands.arguments import sheet
from neurosym_lite.data.arrow_room import COLOURS
from neurosym_lite.render import camera, solids
from neurosym_lite.render.room import GROUND, LAMPS, SKY, to_linear
from neurosym_lite.training.checkpoints import save_npz, write_atomically
from neurosym_lite.training.records import RESULTS

PICTURE = Path(__file__).resolve().parents[1] / "book" / "_static" / "arrow_room.png"
FIDELITY = RESULTS / "arrow_room_fidelity.json"
COLUMNS = 8  # rooms a row of the picture
BEVEL_SEGMENTS = 4
RUBBER_ROUGHNESS, METAL_ROUGHNESS = 0.7, 0.2  # of the surfaces of CLEVR's scenes
LAMP_WATTS = 12.0  # of a lamp, for each unit of its power here
LAMP_SIDE = 2.0  # side of a lamp, in units of its distance times the tangent of half the angle that it fills


def import_blender() -> object:
    """The module bpy; exits with one clear line where it is not installed."""
    try:
        import bpy
    except ImportError:
        sys.exit("this needs Blender as a module: pip install bpy (Python 3.11)")
    return bpy


def empty_scene(bpy, size: int, samples: int) -> None:
    """A scene with nothing but a renderer, a grey world, the camera and the lamps."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.preferences.addon_enable(module="cycles")
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.seed = samples, 0
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "Standard"
    world = bpy.data.worlds.new("room")
    scene.world = world
    world.use_nodes = True
    shade = world.node_tree.nodes["Background"]
    shade.inputs["Color"].default_value = (1, 1, 1, 1)
    shade.inputs["Strength"].default_value = SKY
    lens = bpy.data.cameras.new("camera")
    lens.angle = camera.FIELD
    eye = bpy.data.objects.new("camera", lens)
    eye.location = camera.EYE
    eye.rotation_euler = (math.pi / 2 - camera.PITCH, 0, 0)
    scene.collection.objects.link(eye)
    scene.camera = eye
    for lamp in LAMPS:
        add_lamp(bpy, lamp)


def add_lamp(bpy, lamp) -> None:
    """An area lamp that faces the middle of the ground."""
    from mathutils import Vector

    data = bpy.data.lights.new("lamp", "AREA")
    place = Vector(lamp.place)
    data.energy, data.size = lamp.power * LAMP_WATTS, LAMP_SIDE * lamp.size * place.length
    thing = bpy.data.objects.new("lamp", data)
    thing.location = place
    thing.rotation_euler = (-place).to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(thing)


def material(bpy, colour: tuple[float, float, float], metal: bool):
    """Rubber or metal of a colour in linear light."""
    made = bpy.data.materials.new("surface")
    made.use_nodes = True
    surface = made.node_tree.nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = (*colour, 1)
    surface.inputs["Metallic"].default_value = float(metal)
    surface.inputs["Roughness"].default_value = METAL_ROUGHNESS if metal else RUBBER_ROUGHNESS
    return made


def outline_mesh(bpy):
    """The arrow: its outline pulled up to its height."""
    rim = solids.ROUNDING  # the signed distance grows the outline by its rounding
    half, stem, head = (size + rim for size in (solids.ARROW_HALF, solids.STEM_HALF, solids.HEAD_HALF))
    start, height = solids.HEAD_START - rim, solids.ARROW_THICK + rim
    side = [(-half, stem), (start, stem), (start, head)]
    corners = [*((x, -y) for x, y in side), (half, 0.0), *reversed(side)]
    points = [(x, y, z) for z in (-height, height) for x, y in corners]
    n = len(corners)
    walls = [(i, (i + 1) % n, (i + 1) % n + n, i + n) for i in range(n)]
    mesh = bpy.data.meshes.new("arrow")
    mesh.from_pydata(points, [], [tuple(reversed(range(n))), tuple(range(n, 2 * n)), *walls])
    return mesh


def add_solid(bpy, shape: int, place: np.ndarray, heading: float, surface) -> None:
    """One solid on the ground."""
    height = solids.HEIGHTS[shape]
    where = (float(place[0]), float(place[1]), height)
    if shape == solids.SPHERE:
        bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=32, radius=solids.RADIUS, location=where)
        bpy.ops.object.shade_smooth()
    elif shape == solids.CUBE:
        bpy.ops.mesh.primitive_cube_add(size=2 * solids.CUBE_HALF, location=where)
    elif shape == solids.CYLINDER:
        bpy.ops.mesh.primitive_cylinder_add(vertices=96, radius=solids.RADIUS, depth=2 * solids.RADIUS, location=where)
        bpy.ops.object.shade_smooth_by_angle()
    elif shape == solids.CONE:
        bpy.ops.mesh.primitive_cone_add(vertices=96, radius1=solids.RADIUS, depth=2 * solids.RADIUS, location=where)
        bpy.ops.object.shade_smooth_by_angle()
    else:
        thing = bpy.data.objects.new("arrow", outline_mesh(bpy))
        bpy.context.scene.collection.objects.link(thing)
        bpy.context.view_layer.objects.active = thing
        thing.location = where
    thing = bpy.context.view_layer.objects.active
    thing.rotation_euler = (0, 0, heading)
    thing.data.materials.append(surface)
    if shape not in (solids.SPHERE, solids.CONE):
        bevel = thing.modifiers.new("edges", "BEVEL")
        bevel.width = solids.CUBE_ROUNDING if shape == solids.CUBE else solids.ROUNDING
        bevel.segments, bevel.limit_method = BEVEL_SEGMENTS, "ANGLE"


def draw(bpy, rooms: dict[str, np.ndarray], number: int, size: int, samples: int, folder: Path) -> np.ndarray:
    """One room's picture, uint8 (3, H, W)."""
    empty_scene(bpy, size, samples)
    bpy.ops.mesh.primitive_plane_add(size=400)
    ground = bpy.context.view_layer.objects.active
    ground.data.materials.append(material(bpy, (GROUND,) * 3, False))
    palette = to_linear(torch.tensor(list(COLOURS.values())) / 255).tolist()
    for slot, shape in enumerate(rooms["labels"][number]):
        surface = material(bpy, tuple(palette[rooms["colours"][number, slot]]), bool(rooms["metal"][number, slot]))
        add_solid(bpy, int(shape), rooms["places"][number, slot], float(rooms["headings"][number, slot]), surface)
    file = folder / f"{number}.png"
    bpy.context.scene.render.filepath = str(file)
    bpy.ops.render.render(write_still=True)
    picture = bpy.data.images.load(str(file))
    picture.colorspace_settings.name = "Non-Color"
    pixels = np.array(picture.pixels[:]).reshape(size, size, 4)[::-1, :, :3]
    return (255 * pixels).round().astype(np.uint8).transpose(2, 0, 1)


def apart(ours: np.ndarray, theirs: np.ndarray, masks: np.ndarray, metal: np.ndarray) -> dict[str, float]:
    """Root mean squared differences of pixels in [0, 1]: on metal solids, on rubber ones, on the ground."""
    squared = ((ours.astype(float) - theirs) / 255) ** 2
    solid, shiny = masks >= 0, np.broadcast_to(metal[:, :1, None], masks.shape)
    where = {"metal": solid & shiny, "rubber": solid & ~shiny, "ground": ~solid}
    return {name: round(float(squared.mean(1)[pixels].mean() ** 0.5), 5) for name, pixels in where.items()}


def onto_the_page(ours: np.ndarray, theirs: np.ndarray, rooms: dict[str, np.ndarray], samples: int) -> None:
    """The picture, rows of ours and of Blender's in turn, and the numbers."""
    rows = [part[first : first + COLUMNS] for first in range(0, len(ours), COLUMNS) for part in (ours, theirs)]
    write_atomically(PICTURE, sheet(torch.from_numpy(np.concatenate(rows)), COLUMNS))
    found = apart(ours, theirs, rooms["masks"][: len(ours)], rooms["metal"][: len(ours)])
    report = {"rooms": len(ours), "size": int(ours.shape[-1]), "paths": samples, **found}
    write_atomically(FIDELITY, (json.dumps(report, indent=1) + "\n").encode())


def main() -> int:
    """Draw the first n rooms of a file."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("rooms", type=Path, help="an npz of `neurosym_lite data arrow-room`")
    arguments.add_argument("--n", type=int, default=16)
    arguments.add_argument("--samples", type=int, default=128, help="paths a pixel")
    arguments.add_argument("--out", type=Path, required=True, help="an npz, key images")
    arguments.add_argument("--book", action="store_true", help="renew the book's picture and numbers")
    given = arguments.parse_args()
    if given.book and given.n % COLUMNS:
        arguments.error(f"--n {given.n} with --book: expected a multiple of {COLUMNS}")
    bpy = import_blender()
    with np.load(given.rooms, allow_pickle=False) as file:
        rooms = {name: file[name] for name in file.files}
    n, size = min(given.n, len(rooms["images"])), rooms["images"].shape[-1]
    with tempfile.TemporaryDirectory() as folder:
        pictures = [draw(bpy, rooms, number, size, given.samples, Path(folder)) for number in range(n)]
    save_npz(given.out, images=torch.from_numpy(np.stack(pictures)))
    if given.book:
        onto_the_page(rooms["images"][:n], np.stack(pictures), rooms, given.samples)
    return 0


if __name__ == "__main__":
    sys.exit(main())
