package dev.pollux.samples.cli;

import dev.pollux.finetune.adapter.AdapterMerger;
import dev.pollux.finetune.adapter.AdapterMethod;
import dev.pollux.finetune.adapter.AdapterMethod.Thinning;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Merges LoRA adapters of one base. */
@Command(
        name = "merge-adapters",
        description = {
            "Merge LoRA adapters of one base model into one adapter, without the base.",
            "",
            "concatenated is the exact weighted sum, of the sum of all ranks; core-space is that sum, cut to --rank, and"
                    + " core-space-ties elects signs before. The others merge the factors themselves, as PEFT does; all"
                    + " ranks must be equal there.",
            "",
            "--json: {target, dryRun, method, adapters, ranks, elapsedMillis}; adapters are {folder, weight}, ranks are by"
                    + " the name of the matrix, in a dry run the largest that they may be."
        },
        footer = {
            "  pollux merge-adapters both --adapter writer=0.6 --adapter coder=0.4 --rank 16",
            "  pollux merge-adapters both --adapter writer --adapter coder --method concatenated --dry-run",
            "  pollux merge-adapters both --adapter writer --adapter coder --method dare-ties --density 0.5 --seed 7"
        })
final class MergeAdaptersCommand extends PolluxCommand {

    private static final int RANK = 16;

    @Parameters(index = "0", paramLabel = "TARGET", description = "The folder to write; it must not exist.")
    private @Nullable Path target;

    @Option(
            names = "--adapter",
            order = 10,
            required = true,
            paramLabel = "PATH=WEIGHT",
            description = "A folder in PEFT's form and what it counts, 1 where no weight is given; repeat it.")
    private List<String> adapters = List.of();

    @Option(
            names = "--method",
            order = 11,
            paramLabel = "NAME",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Method method = Method.CORE_SPACE;

    @Option(
            names = "--rank",
            order = 12,
            paramLabel = "N",
            description = "Most singular values of a merged matrix, of the core-space methods. Default: " + RANK + ".")
    private @Nullable Integer rank;

    @Option(
            names = "--density",
            order = 13,
            paramLabel = "D",
            description = "Share of the elements that are kept, in (0, 1]; all methods but concatenated and linear."
                    + " Default: 1 of the core-space methods; the others need it.")
    private @Nullable Double density;

    @Option(
            names = "--seed",
            order = 14,
            paramLabel = "N",
            description = "Seed of dare-linear and dare-ties. Default: 0.")
    private @Nullable Long seed;

    @Option(names = "--dry-run", order = 15, description = "Say which ranks the result would have, and write nothing.")
    private boolean dryRun;

    @Override
    int execute() {
        Path to = target == null ? Path.of("") : target;
        AdapterMerger merger = AdapterMerger.with(chosen()).seed(seed == null ? 0 : seed);
        List<AdapterShape> shapes = new ArrayList<>();
        for (String each : adapters) {
            AdapterShape shape = adapter(each);
            merger.adapter(Path.of(shape.folder()), shape.weight());
            shapes.add(shape);
        }
        long begun = System.nanoTime();
        Map<String, Integer> ranks = dryRun ? merger.preview() : run(merger.merge(to));
        Duration elapsed = Duration.ofNanos(System.nanoTime() - begun);
        Report report = new Report()
                .add("target", to.toString(), dryRun ? to + " (dry run: nothing is written)" : to.toString())
                .add("dryRun", dryRun, "")
                .add("method", method.toString())
                .add("adapters", shapes, "");
        shapes.forEach(shape -> report.text("adapter", shape.folder() + ", weight " + shape.weight()));
        report.add("ranks", ranks, ranks.size() + " matrices").add("elapsedMillis", elapsed.toMillis(), "");
        String most = dryRun && method.isInCoreSpace() ? ": rank at most " : ": rank ";
        ranks.forEach((name, of) -> report.line("  " + name + most + of));
        report.print(this);
        return ExitCode.OK;
    }

    private AdapterMethod chosen() {
        if (rank != null && !method.isInCoreSpace()) {
            throw usage("--rank has no effect with --method " + method + "; leave it out or use core-space");
        }
        if (density != null && !method.isThinning()) {
            throw usage("--density has no effect with --method " + method + "; leave it out or use another method");
        }
        if (seed != null && method.thinning() != Thinning.RANDOM) {
            throw usage("--seed has no effect with --method " + method
                    + ", which draws no random numbers; leave it out or use dare-linear or dare-ties");
        }
        if (density == null && method.isThinning() && !method.isInCoreSpace()) {
            throw usage("--method " + method + " needs --density, the share of the elements that are kept");
        }
        return method.with(density == null ? 1 : density, rank == null ? RANK : rank);
    }

    /** The weight stands behind the last equals sign. */
    private AdapterShape adapter(String given) {
        int at = given.lastIndexOf('=');
        if (at < 0) {
            return new AdapterShape(given, 1);
        }
        try {
            return new AdapterShape(given.substring(0, at), Double.parseDouble(given.substring(at + 1)));
        } catch (NumberFormatException e) {
            throw usage("--adapter must be a folder, or a folder=weight such as writer=0.6, but was " + given);
        }
    }

    /** An adapter as JSON shows it. */
    record AdapterShape(String folder, double weight) {}

    /** Methods by the names that they have here. */
    enum Method {
        CORE_SPACE(Thinning.MAGNITUDE, false),
        CORE_SPACE_TIES(Thinning.MAGNITUDE, true),
        CONCATENATED(Thinning.MAGNITUDE, false),
        LINEAR(Thinning.MAGNITUDE, false),
        TIES(Thinning.MAGNITUDE, true),
        DARE_LINEAR(Thinning.RANDOM, false),
        DARE_TIES(Thinning.RANDOM, true),
        MAGNITUDE_PRUNE(Thinning.MAGNITUDE, false);

        private final Thinning thinning;
        private final boolean electsSigns;

        Method(Thinning thinning, boolean electsSigns) {
            this.thinning = thinning;
            this.electsSigns = electsSigns;
        }

        Thinning thinning() {
            return thinning;
        }

        boolean isInCoreSpace() {
            return this == CORE_SPACE || this == CORE_SPACE_TIES;
        }

        boolean isThinning() {
            return this != CONCATENATED && this != LINEAR;
        }

        AdapterMethod with(double density, int rank) {
            if (this == CONCATENATED) {
                return new AdapterMethod.Concatenated();
            }
            return isInCoreSpace()
                    ? new AdapterMethod.CoreSpace(density, electsSigns, rank)
                    : new AdapterMethod.OnFactors(density, thinning, electsSigns);
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}
