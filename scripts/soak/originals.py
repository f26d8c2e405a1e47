"""Identifiers that must never reach the upstream, and texts that are full of them."""

import random
from dataclasses import dataclass

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
WORDS = ["The instance", "does not answer", "서버가 응답하지 않습니다.", "retry\n", "\t- item", '"quoted"', "C:\\temp", "naïve", "→", "{}"]


@dataclass(frozen=True)
class Original:
    """How an identifier stands in a text, and what of it nobody may see."""

    text: str
    secrets: tuple[str, ...]


class Pool:
    """A fixed set of identifiers; which ones a text holds differs from request to request."""

    def __init__(self, size: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.originals = [self._make(number) for number in range(size)]
        self.texts = 0

    def secrets(self) -> list[str]:
        return sorted({secret for original in self.originals for secret in original.secrets})

    def _make(self, number: int) -> Original:
        draw = self.random
        hexadecimal = f"{draw.getrandbits(64):016x}"
        account = f"{draw.randint(10**11, 10**12 - 1)}"
        name = "".join(draw.choices(ALPHABET, k=6)) + f"-{number:04}"
        match number % 8:
            case 0:
                return self._whole(f"i-0{hexadecimal}")
            case 1:
                return self._whole(f"vpc-0{hexadecimal}")
            case 2:
                return self._whole(f"subnet-0{hexadecimal}")
            case 3:
                return self._whole("AKIA" + "".join(draw.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16)))
            case 4:
                return Original(f"arn:aws:iam::{account}:role/{name}", (account, name))
            case 5:
                return Original(f"s3://{name}/2026/", (name,))
            case 6:
                return Original(f"{name}.c9akciq32abc.us-east-1.rds.amazonaws.com", (name,))
            case _:
                return self._whole(f"10.{number % 200 + 1}.{number // 200 + 1}.{draw.randint(1, 254)}")

    @staticmethod
    def _whole(text: str) -> Original:
        return Original(text, (text,))

    def text(self, size: int = 0) -> str:
        """A text that no other request has, of `size` bytes or a little more."""
        self.texts += 1
        parts = [f"Request {self.texts}."]
        length = 0
        while length < size or len(parts) < 2:
            for _ in range(self.random.randint(1, 12)):
                parts += [self.random.choice(WORDS), self.random.choice(self.originals).text]
            length = sum(len(part) + 1 for part in parts) if size < 4096 else length + 400
        return " ".join(parts) + " ok"

    def everything(self) -> str:
        """A text with every original in it."""
        self.texts += 1
        return f"Request {self.texts}. " + "\n".join(original.text for original in self.originals)

    def clean_text(self) -> str:
        self.texts += 1
        return f"Request {self.texts}. " + " ".join(self.random.choices(WORDS, k=8))
