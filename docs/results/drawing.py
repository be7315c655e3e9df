"""What the figures of these programs share. Needs Matplotlib."""


def pyplot_for_svg():
    """matplotlib.pyplot that writes the same bytes each time."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "glidepath"
    from matplotlib import pyplot

    return pyplot


def save(pyplot, figure):
    pyplot.tight_layout()
    pyplot.savefig(figure, metadata={"Date": None})


def accuracy_against(axes, shares, label):
    """Axes of test accuracies in percent against shares in percent, on a logarithmic scale."""
    axes.set_xscale("log")
    axes.set_xticks(shares, [f"{share:g} %" for share in shares])
    axes.minorticks_off()
    axes.set_xlabel(label)
    axes.set_ylabel("test accuracy (%)")
    axes.grid(alpha=0.3)
