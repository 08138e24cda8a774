"""A picture as a phone sends it: a JPEG that decodes, 480 by 640, made of random coefficients.

A server that looks at the pixels has the work that a real one would be. Baseline, three components of which two have half of the
resolution, Huffman codes of three bits (ITU-T T.81, annexes B and F).
"""

import random

WIDTH, HEIGHT = 480, 640
# Categories of a difference of the mean; then pairs of (zeros before it, category) of a coefficient, and the end of a block.
MEAN = [0, 1, 2, 3, 4, 5]
END = 0x00
OTHER = [END, 0x01, 0x02, 0x03, 0x11, 0x12, 0x21]


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def table(number: int, symbols: list[int]) -> bytes:
    """All codes have three bits, and none is 111."""
    return bytes([number, 0, 0, len(symbols)] + [0] * 13 + symbols)


def jpeg(size: int, comment: bytes) -> bytes:
    """About `size` bytes, with a comment in front of the picture."""
    picks = random.Random(7)
    blocks = (WIDTH // 16) * (HEIGHT // 16) * 6
    # A coefficient takes 3 bits and 1 to 3 of its own, the mean and the end 3 each.
    coefficients = (size * 8 / blocks - 8) / 4.7
    bits = []

    def put(code: int, category: int) -> None:
        bits.append(f"{code:03b}")
        if category:
            bits.append(f"{picks.getrandbits(category):0{category}b}")

    for _ in range(blocks):
        category = picks.choice(MEAN[:3])
        put(MEAN.index(category), category)
        for _ in range(min(20, int(coefficients + picks.random()))):
            symbol = picks.choice(OTHER[1:])
            put(OTHER.index(symbol), symbol & 15)
        put(OTHER.index(END), 0)
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    scan = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")
    return b"".join([
        b"\xff\xd8",
        segment(0xFE, comment),
        segment(0xDB, bytes([0] + [8] * 64)),
        segment(0xC0, bytes([8]) + HEIGHT.to_bytes(2, "big") + WIDTH.to_bytes(2, "big") + bytes([3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0])),
        segment(0xC4, table(0x00, MEAN) + table(0x10, OTHER)),
        segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])),
        scan,
        b"\xff\xd9",
    ])
