"""Colours for many classes: told apart from each other, from the greys of scans, and the same for an id every time."""

from __future__ import annotations

# Okabe and Ito's palette, which colour-blind people can tell apart; without black and white, which scans use. Then
# always the colour farthest (CIEDE2000) from all before and from the greys, so that any first few are the best there
# are: no two of the first 130 are closer than 9.2, none of all closer than 4.9. One can see a difference from about 2.
_HEX = (
    "e69f00 56b4e9 009e73 f0e442 0072b2 d55e00 cc79a7 1400fa 00ff3c ff0046 8c6eff b40096 a00000 78a000 006e00 00fad2 "
    "966e00 ff9682 82143c d2aaff ff00ff 645096 6e3c00 6ef0ff 006e5a 96c88c 0096a0 505000 a05a5a ffbedc ffc896 0a4682 "
    "be8c64 beb46e 6e8250 8c78aa f00082 8ca0e6 78beb4 aa00fa 005a64 e6f0b4 82506e 6e0a96 8c6446 00be3c 6e3c32 a0d200 "
    "be8282 1e5afa ff8c32 325032 e61400 ff6e8c be003c ffc8be 787800 1e8cff ff82f0 bef0d2 b45abe b4d2ff aa9600 6478be "
    "96ffaa 009600 ff643c 968c64 0ac88c aa460a 32788c 00bed2 e6d2fa 781e64 ffd26e 786e46 b496be 78a082 b41e64 3232a0 "
    "fae6be a06e82 c878fa be6e50 c87800 c8fa82 503c64 1496be 008246 faa0aa 645028 ff46be b4508c 50826e 285000 6e46d2 "
    "96dcff 00dcd2 d2aa6e 005046 8ca064 d25a6e 50648c d2fa00 bebe00 965a0a 5a820a a08cdc 82dc64 ff8cbe c85046 dcb400 "
    "8c5096 466e46 ff6464 1e5a78 8c1e28 00aaa0 e6aa8c 8264be b48c3c 964632 bed278 5aa05a 1e7878 782800 b4b4e6 ffb4fa "
    "828cb4 a0faf0 5a6432 00e682 dc0ab4 a07846 3c50b4 824650 b450fa c8001e 6e648c c896aa 78dcb4 6482ff 785a00 e6005a "
    "8c8c3c ffb45a 961eb4 3c466e 96ff00 82b450 00d2ff e68c64 dc96d2 6eaafa bed2aa 643250 b4506e 64aabe c878c8 50b496 "
    "005a28 008c82 aa6432 f0e68c d2be96 a0aa46 8cd2dc dc9650 8cbea0 8c648c fa5096 7800dc 6e3c82 64c800 466400 ff6400 "
    "ffaa6e 78503c dca096 0a6ee6 1efffa dcb4dc dcc85a a0b48c 5082a0 d26e64 d200e6 fa3c32 ffd200 6e96be 5a3c1e b4a078 "
    "0a96dc 8250ff a06e64 963c78 c8783c f04600 6e641e 96ffd2 b4826e bef0b4 323cff 005aaa 14ffb4 46aa00 6464d2 aa6ea0 "
    "a046c8 ff326e d2788c 46461e 8c7832 96005a e68282 64be6e c85028 8c5028 508c5a be2800 008264 503282 507832 aa82a0 "
    "fa960a ffbe1e 6e5078 8278d2 8cc8ff 009646 509682 dc0a3c d25aa0 aa3c3c 5014b4 6e963c c8a032 288214 a06ed2 d20082 "
    "c8c896 a0820a aaa0ff 00dc32 e664e6 826432 dc6e3c 1ed2b4 aa82be 5aa0a0 a03c50 d2e664 aa6e14 aa5a46 968cb4 14bebe "
    "96ff78 5082be 6e7832 8c0a8c 788c00 b46e78 78dc96 8c8cfa 6e3c1e 9664aa 0aaa64 00b4dc 78501e d2d2ff 003cd2 e6d296 "
    "644600 e67800 aaf0ff d28c78 be96dc 82dcd2 146e32 6e3caa f078c8 be0abe 964664 a0b4dc aa9650 a00a3c 3c6e8c 3c8ca0 "
    "aa8c64 96b400 6464aa 00dce6 e696ff 6e323c 8c5a64 8c3c00 c8a082 c88c00 3c6428 6e78a0 e6b450 828250 aa82ff 506efa "
    "78b482 ffd2fa 6ee614 d25082 ffbec8 82bedc 46ff82 b4aa32 821e14 8c7850 aa001e a0a0c8 e6bea0 d2befa 8c5a50 508c3c "
    "4664be 286446 788cd2 e61428 46468c ffb4a0 783c6e 0aaab4 ffa0dc e6a0be 5a5078 e63cd2 82325a 0082be 005064 c8dc00 "
    "be465a 7828ff 64f0dc 5aa0c8 a0b46e aadc8c be6400 aa46aa 1e6478 e65050 aaaa78 a0785a 8250b4 8c3c3c 6e96fa a0c850 "
    "ff8246 5032d2 96d2be e68ca0 f07864 aae650 005032 d20a64 fad296 965adc be6464 006464 be6e8c dcc800 ffa078 dc5a3c "
    "bec850 f000a0 969614 28828c beaadc b482dc 6ec896 46d264 dcbe6e be96ff 32aa46 648c6e 1e6e78 465a32 826e00 be8296 "
    "143c96 a00078 d250f0 6e9664 a05a78 a0dcaa 785a3c e6646e dc8c14 a0e6e6 468c8c 96b4ff 8c32d2 785a96 963214 3c785a "
    "78b414 c83c28 b4c88c 786eaa 00e6aa 6e1e78 5aa078 be823c 00beaa dcf096 6ebec8 28a0ff dc64be 006496 dca0aa 5a50fa "
    "aa5aa0 d2f0c8 962850 be3296 6eaa96 8cc86e e678a0 509600 0082aa 828c64 fadc64 8c8200 646e0a e6aa6e be5a1e 963296 "
    "e63c5a c89650 32a0b4 5a5a8c a06446 00b482 50d2e6 6e64fa a05000 005a00 b47850 befaa0 466ea0 a0a05a 5050d2 966432 "
    "50c8ff a08246 326e64 aa7800 e6f000 b4beff 8cb4dc c88cb4 5046aa a0646e ffdcb4 dc82e6 ff64b4 645a32 82b46e 00be64 "
    "8c82be 3c8c6e f0beaa be0050 b45050 b43c78 ff1400 96a078 e68c50 64be46 6ec8aa c8b40a b4786e e6be8c 963228 0050dc "
    "c864d2 b41478 50460a 785ad2 f05a82 28501e ffd2b4 781eb4 78f0b4 d2c878 7878f0 78321e aa6ebe c8aa5a e67832 9696d2 "
    "645000 f0e6aa aa648c 78465a 5a3c5a 5a6e28 5a6e46 64c8c8 d29678 ffa0ff 8c5050 8c5082 e69696 788c46 6e4664 5a326e "
    "1e28c8 ff64dc dc6496 e6b4fa 007850 c8a0be ff8c96 3c6e14 3c5a96 50b478 969664 5078dc f0c8ff d23c8c aa6efa f0f06e "
    "145078 ffaa1e c86450 826e96 b48c00 c8e6a0 6edcfa 6ef0f0 aa14d2 823ca0 dc3c6e aa4628 "
)  # fmt: skip
PALETTE = tuple(f"#{color}" for color in _HEX.split())
GOLDEN_RATIO = 0.6180339887498949


def palette_color(index: int) -> str:
    """Give the colour of an id from 1 on; beyond the palette, neighbouring ids get colours far apart in it."""
    last = len(PALETTE)
    return PALETTE[index - 1 if 1 <= index <= last else int(index * GOLDEN_RATIO % 1.0 * last)]
