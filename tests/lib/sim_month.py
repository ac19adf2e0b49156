# SPDX-License-Identifier: ISC
"""A month of eight lists with four hundred members at sixty providers, as a scenario of the simulator.

Providers have the tempers of docs/simulator.md for good, or for days; members die, fill up and are emptied; lipap is killed
every few hours. The days begin at eight in the morning and all posts come before evening, so that no failure stands at the
border of two days.
"""
import random

LISTS, MEMBERS, HOSTS = 8, 400, 60
CALM = 50  # the first of the providers that nothing befalls

# What a provider is like all the time.
TEMPERS = {2: "greylist=10m", 5: "connections=2", 6: "per-connection=3", 7: "per-minute=4", 8: "per-hour=20", 9: "greylist=5m",
           10: "greylist=15m", 11: "banner-delay=20s", 12: "read-rate=2000", 13: "recipients=1", 14: "pipelining=no",
           15: "ehlo=no", 16: "chunking=no", 17: "chatter=40", 18: "chatter=20 forged-bounces=20", 19: "drop-after=2",
           20: "drop-before=10", 21: "close-after=50", 22: "storm=10", 42: "bounce=1", 43: "greylist=7m connections=1"}

# What befalls it: from which day on, what, and for how long. `%u` is a local part of somebody there.
TROUBLE = {1: (10, "temper h1 blocks=yes for=2d"), 3: (5, "temper h3 refuse=yes for=3d"), 4: (14, "temper h4 storm=100 for=2d"),
           23: (3, "temper h23 refused-users=%u"), 24: (4, "temper h24 refused-users=%u"), 25: (5, "temper h25 refused-users=%u"),
           26: (6, "temper h26 refused-users=%u"), 27: (7, "temper h27 refused-users=%u"), 28: (8, "temper h28 refused-users=%u"),
           29: (3, "temper h29 lost-users=%u"), 30: (5, "temper h30 lost-users=%u"), 31: (7, "temper h31 lost-users=%u"),
           32: (9, "temper h32 lost-users=%u"), 33: (4, "temper h33 full-users=%u for=3d"),
           34: (9, "temper h34 full-users=%u for=4d"), 35: (15, "temper h35 full-users=%u for=2d"),
           36: (6, "temper h36 full-users=%u"), 37: (12, "fault nsa servfail chance=100 for=1d"),
           39: (16, "partition h39 for=2d"), 40: (7, "link mx h40 loss=5 cut=30 within=4K for=1d"),
           41: (11, "temper h41 refused-users=%u for=2d"), 44: (18, "temper h44 refuse=yes for=1d")}

SERVERS = {2: "kill nec1 process back=20m", 9: "stop nec1 back=3h", 13: "fault dns servfail chance=50 for=2h",
           17: "kill nec1 power back=5m", 20: "clock mx +2h", 23: "disk mx slow by=1s for=1h"}


def domains(host):
    """The big providers have several."""
    return [f"d{host}.test"] + ([f"d{host}a.test", f"d{host}b.test"] if host < 5 else [])


def home(draw, number):
    """Where somebody has a mailbox: every provider has some, a third of all are at the first four."""
    host = number % HOSTS + 1 if number < 4 * HOSTS else draw.choice([1, 1, 2, 3, 4, draw.randint(5, HOSTS)])
    return host, draw.choice(domains(host))


def people(draw):
    """Lists and members; gives the lines, and somebody for each provider: list, local part, domain."""
    lines, someone = [], {}
    for i in range(LISTS):
        lines.append(f"list l{i}@mailingl.st moderator=boss{i}@d{CALM + i}.test subscription=confirm")
    for number in range(MEMBERS):
        host, domain = home(draw, number)
        someone[host] = (f"l{number % LISTS}@mailingl.st", f"p{number}", domain)
        lines.append(f"member {someone[host][0]} p{number}@{domain}")
    for i in range(LISTS):
        lines.append(f"author a{i} a{i}@d{CALM + i}.test proof=both policy=reject")
        lines.append(f"member l{i}@mailingl.st a{i}@d{CALM + i}.test")
    return lines, someone


def event(day, hours, line):
    return (day * 24 + hours, line)


def events(draw, days, someone):
    """What happens, by the hour."""
    found = [event(day, 0.2, line.replace("%u", someone[host][1])) for host, (day, line) in TROUBLE.items()]
    found += [event(day, 0.5, line) for day, line in SERVERS.items()]
    for day in range(days):
        for i in range(LISTS):
            size = draw.choice(["400", "2K", "8K", "60K"])
            found.append(event(day, 1 + draw.random() * 8, f"post a{i} l{i}@mailingl.st size={size} name=p{day}-{i}"))
    hours = 3.0
    while hours < 24 * days:
        how, back = draw.choice(["process", "power"]), draw.randint(1, 90)
        found.append((hours, f"kill mx {how} call={draw.randint(1, 2000)} when=after back={back}s" if draw.random() < 0.5
                      else f"kill mx {how} back={back}s"))
        hours += draw.uniform(2, 8)
    return sorted(found)


def expectations(days, someone):
    """Those who are gone for good must be off their lists, and a moderator knows it; whoever came back is a member."""
    lines = []
    for host, (day, line) in TROUBLE.items():
        room, user, domain = someone[host]
        is_gone = "users=" in line and "for=" not in line
        late = 12 if "full-users" in line else 8  # a full mailbox counts half
        if is_gone and day + late <= days:
            lines.append(f"expect stranger {room} {user}@{domain}")
            lines.append(f'expect told boss{room[1]}@d{CALM + int(room[1])}.test "*{user}@{domain} was removed from*"')
        elif not is_gone:
            lines += [f"expect member {room} {user}@{domain}", f"expect untold {user}@{domain}"]
    if days > 12:
        lines.append('expect told boss*@d*.test "*d1* refuses mail from*"')
    return lines


def month(days=30, seed=1):
    """The scenario of a seed."""
    draw = random.Random(seed)
    lines = [f"seed {seed}", f"end {days + 2}d", "primary ns0", "primary nsa of=d37.test,d38.test", "resolver dns",
             "domain mailingl.st", "signer nec1", f"lipap mx image=128M admin=admin@d{HOSTS}.test"]
    lines += [f"mailhost h{host} {','.join(domains(host))} {TEMPERS.get(host, '')}".rstrip() for host in range(1, HOSTS + 1)]
    told, someone = people(draw)
    lines += told
    at = 0.0
    for hours, line in events(draw, days, someone):
        if hours >= 24 * days:
            break
        pause = round((hours - at) * 3600000)
        if pause > 0:
            lines.append(f"TIME +{pause}ms")
        at = max(at, hours)
        lines.append(line)
    lines += ["TIME +1d"] + expectations(days, someone)
    return "\n".join(lines + [""])
