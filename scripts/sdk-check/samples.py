"""Prompts full of made-up AWS identifiers, and what must be seen of them where."""

import random
import re
import string
from dataclasses import dataclass

HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class Identifier:
    """An identifier as it stands in the prompt, and the parts of it that must not leave the client."""

    value: str
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """A prompt: prose with «names» where identifiers stand."""

    name: str
    template: str
    identifiers: dict[str, Identifier]

    @property
    def prompt(self) -> str:
        return self.fill({name: found.value for name, found in self.identifiers.items()})

    @property
    def secrets(self) -> dict[str, str]:
        """Each string that must not leave the client, and the name of the identifier it belongs to."""
        return {part: name for name, found in self.identifiers.items() for part in found.secrets}

    def fill(self, values: dict[str, str]) -> str:
        return re.sub("«(\\w+)»", lambda mark: values[mark[1]], self.template)

    def stand_ins(self, seen: str) -> dict[str, str]:
        """What stands in `seen` in place of each identifier. The prose must be unchanged, and the same
        identifier must always have the same stand-in."""
        names = set()

        def group(name: str) -> str:
            if name in names:
                return f"(?P={name})"
            names.add(name)
            return f"(?P<{name}>.+?)"

        parts = re.split("«(\\w+)»", self.template)
        pattern = "".join(group(part) if at % 2 else re.escape(part) for at, part in enumerate(parts))
        match = re.fullmatch(pattern, seen, re.DOTALL)
        assert match, f"the mock saw other prose than was sent: {seen!r}"
        return match.groupdict()


ENGLISH = """\
The instance «instance» in «vpc» (subnet «subnet», security group «group») does not answer since 10:42.
Its role is «role», the account id is «account» and the private address «address».
It talks to `«db_host»` and writes to «bucket_url»; the same bucket is https://«bucket_host»/ for browsers.
AWS_ACCESS_KEY_ID=«key_id»
aws_secret_access_key = «secret_key»
Is «instance» the only one? What should I look at first?"""

KOREAN = """\
인스턴스 «instance»가 «vpc»의 서브넷 «subnet»에서 응답하지 않습니다. 보안그룹은 «group»입니다.
역할은 «role»이고 AWS 계정 ID: «account», 사설 IP는 «address»입니다.
데이터베이스 «db_host»에 접속하고 로그는 «bucket_url»에 남깁니다. 브라우저에서는 https://«bucket_host»/ 입니다.
AWS_ACCESS_KEY_ID=«key_id»
aws_secret_access_key = «secret_key»
«instance»만 그런가요? 😀 먼저 무엇을 확인할까요?"""

DESCRIBE = """\
$ aws ec2 describe-instances --output json
{
    "Reservations": [
        {
            "OwnerId": "«account»",
            "Instances": [
                {
                    "InstanceId": "«instance»",
                    "PrivateIpAddress": "«address»",
                    "SubnetId": "«subnet»",
                    "VpcId": "«vpc»",
                    "SecurityGroups": [{"GroupId": "«group»"}],
                    "IamInstanceProfile": {"Arn": "«role»"}
                }
            ]
        }
    ]
}
$ export AWS_ACCESS_KEY_ID=«key_id»
$ export AWS_SECRET_ACCESS_KEY=«secret_key»
$ psql -h «db_host»
$ aws s3 cp «bucket_url» -  # from «bucket_host»"""


def identifiers(choose: random.Random) -> dict[str, Identifier]:
    """One of each kind. Nothing here is real; credentials are made here so that none stands in the repository."""

    def draw(alphabet: str, length: int) -> str:
        return "".join(choose.choice(alphabet) for _ in range(length))

    def plain(value: str) -> Identifier:
        return Identifier(value, (value,))

    account = str(choose.randrange(10**11, 10**12))
    role_name = "deploy-" + draw(string.ascii_lowercase, 8)
    bucket = "acme-" + draw(string.ascii_lowercase, 10)
    db_name = "orders-" + draw(string.ascii_lowercase, 6)
    db_hash = "c" + draw(string.ascii_lowercase + string.digits, 11)
    # a secret access key has letters of both cases, digits and symbols
    secret_key = draw(string.ascii_letters + string.digits, 12) + "/9aZ+" + draw(string.ascii_letters + "0123", 23)
    return {
        "instance": plain("i-0" + draw(HEX, 16)),
        "vpc": plain("vpc-0" + draw(HEX, 16)),
        "subnet": plain("subnet-" + draw(HEX, 8)),
        "group": plain("sg-0" + draw(HEX, 16)),
        "role": Identifier(f"arn:aws:iam::{account}:role/{role_name}", (account, role_name)),
        "account": plain(account),
        "address": plain(f"10.{choose.randrange(20, 250)}.{choose.randrange(20, 250)}.{choose.randrange(20, 250)}"),
        "db_host": Identifier(f"{db_name}.{db_hash}.ap-northeast-2.rds.amazonaws.com", (db_name, db_hash)),
        "bucket_host": Identifier(f"{bucket}.s3.ap-northeast-2.amazonaws.com", (bucket,)),
        "bucket_url": Identifier(f"s3://{bucket}/2026/app.log", (bucket,)),
        "key_id": plain("AKIA" + draw(BASE32, 16)),
        "secret_key": plain(secret_key),
    }


def make(seed: int) -> list[Sample]:
    """The samples; the same for the same seed."""
    choose = random.Random(seed)
    templates = {"english": ENGLISH, "korean": KOREAN, "describe": DESCRIBE}
    return [Sample(name, template, identifiers(choose)) for name, template in templates.items()]
