#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Recomputes every vector of docs/key-derivation.md from its definition, without any code of ours, and compares them
with what our own program finds. argv[1] is the build folder."""
import base64
import functools
import hashlib
import hmac
import math
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENT = os.path.join(ROOT, "docs", "key-derivation.md")
E = 65537


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf_expand(key, info, size):
    """RFC 5869 2.3"""
    out, block, counter = b"", b"", 1
    while len(out) < size:
        block = mac(key, block + info + bytes([counter]))
        out += block
        counter += 1
    return out[:size]


class Drbg:
    """HMAC_DRBG, SP 800-90A 10.1.2"""

    def __init__(self, seed):
        self.key, self.value = bytes(32), b"\x01" * 32
        self.update(seed)

    def update(self, data):
        self.key = mac(self.key, self.value + b"\x00" + data)
        self.value = mac(self.key, self.value)
        if data:
            self.key = mac(self.key, self.value + b"\x01" + data)
            self.value = mac(self.key, self.value)

    def generate(self, size):
        out = b""
        while len(out) < size:
            self.value = mac(self.key, self.value)
            out += self.value
        self.update(b"")
        return out[:size]


SMALL_PRIMES = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2))]


def is_prime(n):
    """Miller-Rabin with the first twelve primes as bases, after trial division: the candidates are nobody's choice."""
    if any(n % p == 0 for p in SMALL_PRIMES):
        return n in SMALL_PRIMES
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd //= 2
        twos += 1
    for base in [2] + SMALL_PRIMES[:11]:
        x = pow(base, odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def rsa_primes(seed, bits):
    """Both primes, the greater first, and the number of candidates that were looked at."""
    drbg, found, looked_at = Drbg(seed), [], 0
    while len(found) < 2:
        looked_at += 1
        n = int.from_bytes(drbg.generate(bits // 16), "big") | 3 << (bits // 2 - 2) | 1
        if math.gcd(n - 1, E) != 1 or (found and abs(found[0] - n) <= 1 << (bits // 2 - 100)):
            continue
        if is_prime(n):
            found.append(n)
    return max(found), min(found), looked_at


def der(tag, body):
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def der_integer(n):
    return der(0x02, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def rsa_spki(n):
    """SubjectPublicKeyInfo with rsaEncryption (RFC 3279 2.3.1)"""
    algorithm = der(0x30, der(0x06, bytes.fromhex("2a864886f70d010101")) + der(0x05, b""))
    return der(0x30, algorithm + der(0x03, b"\x00" + der(0x30, der_integer(n) + der_integer(E))))


def ed25519_public(seed):
    """RFC 8032 5.1.5"""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p

    def add(a, b):
        t = d * a[0] * b[0] * a[1] * b[1] % p
        return (
            (a[0] * b[1] + b[0] * a[1]) * pow(1 + t, -1, p) % p,
            (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, p) % p,
        )

    y = 4 * pow(5, -1, p) % p
    xx = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
    x = pow(xx, (p + 3) // 8, p)
    if x * x % p != xx:
        x = x * pow(2, (p - 1) // 4, p) % p
    point, result = (p - x if x % 2 else x, y), (0, 1)
    scalar = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little") & (2**254 - 8) | 2**254
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return (result[1] | (result[0] & 1) << 255).to_bytes(32, "little")


@functools.lru_cache(maxsize=None)
def stretch(password, salt):
    return hashlib.pbkdf2_hmac("sha256", password, salt, 600000, 32)


@functools.lru_cache(maxsize=None)
def rsa_primes_of(okm):
    return rsa_primes(okm, 2048)


def compute(vector):
    """All values of a vector from its five inputs."""
    password = base64.b64decode(vector["password"], validate=True)
    salt = b"ptt-v1:" + vector["domain"].lower().encode("ascii")
    seed = stretch(password, salt)
    info = [b"ptt-v1"] + [vector[name].encode("ascii") for name in ("purpose", "algorithm", "selector")]
    is_rsa = vector["algorithm"] == "rsa/2048"
    okm = hkdf_expand(seed, b"\0".join(info), 48 if is_rsa else 32)
    values = {"salt": salt.decode(), "seed": seed.hex(), "okm": okm.hex()}
    if is_rsa:
        p, q, looked_at = rsa_primes_of(okm)
        values.update(p=f"{p:x}", q=f"{q:x}", candidates=str(looked_at))
        public, kind = rsa_spki(p * q), "rsa"
    else:
        public, kind = ed25519_public(okm), "ed25519"
    values["record"] = f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"
    values["record-sha256"] = hashlib.sha256(values["record"].encode()).hexdigest()
    values["id"] = hkdf_expand(seed, b"ptt-v1\0id", 8).hex()
    return values


def read_vectors():
    """The fenced blocks that begin with `name = `, as dictionaries."""
    vectors, inside = [], False
    with open(DOCUMENT, encoding="utf-8") as f:
        for line in f:
            line = line.strip()
            if line.startswith("```"):
                inside = not inside
                continue
            name, equals, value = line.partition(" = ")
            if not inside or not equals:
                continue
            if name == "name":
                vectors.append({})
            if vectors:
                vectors[-1][name] = value
    return vectors


INPUTS = ("password", "domain", "purpose", "algorithm", "selector")


def fault_of(vector, values, answer):
    """None, or the first difference between the document, the definition and our program."""
    written = set(vector) - set(INPUTS) - {"name"}
    if written != set(values):
        return f"the document has {sorted(written)}, not {sorted(values)}"
    for name, value in values.items():
        if vector[name] != value:
            return f"{name} is {value}, the document says {vector[name]}"
    ours = f"{values['id']} {values['record']}"
    return None if answer == ours else f"our program says {answer[:200]}"


def main():
    vectors = read_vectors()
    cases = "".join(" ".join(vector[name] for name in INPUTS) + "\n" for vector in vectors)
    driver = subprocess.Popen([os.path.join(sys.argv[1], "auth-key_driver")], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    driver.stdin.write(cases)
    driver.stdin.close()
    computed = [compute(vector) for vector in vectors]  # while our program works
    answers = driver.stdout.read().splitlines()
    if driver.wait() != 0 or len(vectors) < 8 or len(answers) != len(vectors):
        print(f"not ok key_derivation: {len(vectors)} vectors read, {len(answers)} answers")
        return 1
    good = True
    for vector, values, answer in zip(vectors, computed, answers):
        fault = fault_of(vector, values, answer)
        good = good and not fault
        print(f"not ok key_derivation {vector['name']}: {fault}" if fault else f"ok key_derivation {vector['name']}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
