#!/usr/bin/env python3
"""A model of time against ranks from the costs that bench/scaling measured: checked at one and two ranks, and
then asked about 8 to 1,024.

    build/release/bench/scaling resnet18 0.25 64 > costs.json
    bench/scaling.py costs.json [--svg docs/scaling.svg]
    bench/scaling.py --page docs/scaling.md --svg docs/scaling.svg    # the figure of the table there, anew

An update of n ranks takes

    input + forward + max(backward, when the last bucket is reduced) + step + a broadcast

where a ring all-reduce of s bytes takes 2 (n - 1) (latency + s / (n bandwidth)), buckets are reduced one after
the other, each from when backward has made its gradients (bytes are taken to come evenly), and a broadcast
takes ceil(log2 n) latencies. `overlap` false has all-reduces begin when backward has ended: so it is where the
ranks use every core, as reducing takes a core too. Ranks do not vary in speed.
"""
import argparse
import json
import math
import subprocess

FIRST_BUCKET, BUCKET = 1 << 20, 25 << 20


def buckets_of(total):
    sizes = [min(total, FIRST_BUCKET)]
    while sum(sizes) < total:
        sizes.append(min(total - sum(sizes), BUCKET))
    return sizes


def ring_seconds(size, ranks, network):
    if ranks == 1:
        return 0.0
    return 2 * (ranks - 1) * (network["latency"] + size / ranks / network["bandwidth"])


def exposed_seconds(backward, total, ranks, network, overlap):
    """How much longer than backward it takes until everything is reduced."""
    done, made = 0.0, 0
    for size in buckets_of(total):
        made += size
        ready = backward * made / total if overlap else backward
        done = max(done, ready) + ring_seconds(size, ranks, network)
    return max(0.0, done - backward) if ranks > 1 else 0.0


def update_seconds(cost, total, ranks, network, overlap):
    word = math.ceil(math.log2(ranks)) * network["latency"] if ranks > 1 else 0.0
    return (cost["input"] + cost["forward"] + cost["backward"] + cost["step"] + word +
            exposed_seconds(cost["backward"], total, ranks, network, overlap))


def cost_of(seconds, name):
    return {part: seconds[f"{name}.{part}"] for part in ("input", "forward", "backward", "step")}


def fitted(seconds):
    """Latency and bandwidth of the measured all-reduces of two ranks: the smallest gives the one, the largest
    the other."""
    by_size = {int(name.split(".")[1]): value for name, value in seconds.items() if name.startswith("reduce.")}
    smallest, largest = min(by_size), max(by_size)
    return {"latency": by_size[smallest] / 2, "bandwidth": largest / (by_size[largest] - by_size[smallest])}, by_size


NETWORKS = {  # stated, not measured
    "10 Gb/s, 30 us": {"latency": 30e-6, "bandwidth": 1.25e9 * 0.8},
    "100 Gb/s, 5 us": {"latency": 5e-6, "bandwidth": 12.5e9 * 0.8},
}
RANKS = [1, 2, 8, 16, 32, 64, 128, 256, 512, 1024]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("costs", nargs="?")
    parser.add_argument("--svg")
    parser.add_argument("--page", help="draw the table of this page (docs/scaling.md) in place of costs")
    arguments = parser.parse_args()
    if arguments.page and arguments.svg:
        return draw(arguments.svg, *table_of_page(arguments.page))
    if not arguments.costs or arguments.page:
        parser.error("give costs, or --page and --svg")
    with open(arguments.costs, encoding="utf-8") as file:
        told = json.load(file)
    seconds, total, batch = told["seconds"], told["model_bytes"], told["batch"]
    here, by_size = fitted(seconds)
    print(f"{told['model']} at width {told['width']}, batch {batch}: {total / 1e6:.2f} MB of gradients, "
          f"LibTorch {told['torch']}")
    print(f"all-reduce of two ranks here: latency {1e6 * here['latency']:.0f} us, "
          f"bandwidth {here['bandwidth'] / 1e9:.2f} GB/s")
    for size, value in sorted(by_size.items()):
        print(f"  {size:>9} bytes: {1e3 * value:8.3f} ms, by the model {1e3 * ring_seconds(size, 2, here):8.3f} ms")
    print("\nupdate, ms           input forward backward  step  predicted measured  ratio")
    rows = [("1 rank", "one", 1, "one"), ("2 ranks, batch halved", "apart", 2, "two"),
            ("2 ranks, batch each", "twice-apart", 2, "twice")]
    for title, parts, ranks, whole in rows:
        cost = cost_of(seconds, parts)
        predicted, measured = update_seconds(cost, total, ranks, here, False), seconds[f"{whole}.total"]
        print(f"{title:<21} {1e3 * cost['input']:5.1f} {1e3 * cost['forward']:7.1f} {1e3 * cost['backward']:8.1f} "
              f"{1e3 * cost['step']:5.1f} {1e3 * predicted:10.1f} {1e3 * measured:8.1f} {predicted / measured:6.2f}")
    one = cost_of(seconds, "one")
    columns = []
    for fixed in (False, True):
        for name, network in NETWORKS.items():
            column = []
            for ranks in RANKS:
                cost = dict(one)
                if fixed:  # compute is a rank's share of the whole, which is 64 times the measured batch
                    share = RANKS[-1] / ranks / 16
                    cost = {part: value * (1 if part == "step" else share) for part, value in one.items()}
                column.append(update_seconds(cost, total, ranks, network, True))
            columns.append((f"{'fixed job' if fixed else 'batch each'}, {name}", fixed, column))
    print(f"\nefficiency, simulated: batch {batch} for each rank, and a fixed batch of {batch * RANKS[-1] // 16}")
    print("ranks " + " ".join(f"{title:>27}" for title, _, _ in columns))
    table = []
    for row, ranks in enumerate(RANKS):
        shares = []
        for _, fixed, column in columns:
            ideal = column[0] / ranks if fixed else column[0]
            shares.append(ideal / column[row])
        table.append((ranks, shares))
        print(f"{ranks:>5} " + " ".join(f"{100 * share:>25.1f} %" for share in shares))
    if arguments.svg:
        draw(arguments.svg, [title for title, _, _ in columns], table)


def table_of_page(path):
    """Titles and shares of the table in docs/scaling.md, whose figure is drawn anew."""
    with open(path, encoding="utf-8") as file:
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in file if line.startswith("|")]
    first = next(place for place, row in enumerate(rows) if row[0] == "ranks")
    table = [(1, [1.0] * (len(rows[first]) - 1))]
    for row in rows[first + 2:]:
        if not row[0].replace(",", "").isdigit():
            break
        table.append((int(row[0].replace(",", "")), [float(cell.rstrip(" %")) / 100 for cell in row[1:]]))
    return rows[first][1:], table


# As the figures of glidepath report look.
COLOURS, POINTS = ("#d55e00", "#0072b2"), (7, 5)


def draw(path, titles, table):
    script = [f"set terminal svg size 720,440 dynamic font 'Helvetica,13' background rgb 'white'; set output '{path}'",
              "set border 3 lc rgb '#444444'; set tics nomirror out textcolor rgb '#222222'",
              "set grid back lc rgb '#d8d8d8' lw 0.8; set key bottom left reverse Left textcolor rgb '#222222'",
              "set logscale x 2; set xlabel 'ranks'; set ylabel 'efficiency (%)'; set yrange [0:105]",
              "set label 'Simulated from costs measured at one and two ranks' at screen 0.02,0.95 left font ',16'",
              "set tmargin 4"]
    plots = [f"'-' with linespoints lw 1.9 pt {POINTS[place % 2]} ps 0.7 dt {1 + place // 2} "
             f"lc rgb '{COLOURS[place % 2]}' title '{title}'" for place, title in enumerate(titles)]
    script.append("plot " + ", ".join(plots))
    for column in range(len(titles)):
        script += [f"{ranks} {100 * shares[column]}" for ranks, shares in table] + ["e"]
    subprocess.run(["gnuplot", "-d"], input="\n".join(script) + "\n", text=True, check=True)


main()
