package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The changes that are trained. The names are those of PEFT unless stated. <em>Immutable.</em> */
public final class LoraOptions {

    /** The defaults of the builder. */
    public static final LoraOptions DEFAULTS = builder().build();

    private final int rank;
    private final double alpha;
    private final boolean rankStabilized;
    private final boolean dora;
    private final Initialization initialization;
    private final double dropout;
    private final List<String> targets;
    private final List<String> exclude;
    private final List<Integer> layers;
    private final Map<String, Integer> rankPattern;
    private final Map<String, Double> alphaPattern;
    private final Bias bias;
    private final boolean loraBias;
    private final List<String> modulesToSave;

    /** The target that stands for every linear layer except the head. */
    public static final String ALL_LINEAR = "all-linear";

    /** The first values of the factors A (rank, columns) and B (rows, rank) of a matrix W. */
    public enum Initialization {
        /** A uniform in ±1/√columns, B zeros: PEFT's default. */
        KAIMING,
        /** A normal with the deviation 1/rank, B zeros. */
        GAUSSIAN,
        /** The largest singular vectors of W, which is reduced by their product (PiSSA, Meng et al., arXiv:2404.02948). */
        PISSA,
        /** The first columns of the QR decomposition of W, which is reduced by their product (OLoRA, Büyükakyüz, arXiv:2406.01775). */
        OLORA
    }

    /** The biases of the model that are trained. */
    public enum Bias {
        /** None. */
        NONE,
        /** Those of changed modules. */
        LORA_ONLY,
        /** Those of all linear layers. */
        ALL;

        /** Its name in PEFT's settings. */
        String setting() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private LoraOptions(Builder b) {
        this.rank = b.rank;
        this.alpha = b.alpha;
        this.rankStabilized = b.rankStabilized;
        this.dora = b.dora;
        this.initialization = b.initialization;
        this.dropout = b.dropout;
        this.targets = List.copyOf(b.targets);
        this.exclude = List.copyOf(b.exclude);
        this.layers = List.copyOf(b.layers);
        this.rankPattern = Map.copyOf(b.rankPattern);
        this.alphaPattern = Map.copyOf(b.alphaPattern);
        this.bias = b.bias;
        this.loraBias = b.loraBias;
        this.modulesToSave = List.copyOf(b.modulesToSave);
        check();
    }

    private void check() {
        require(rank >= 1 && rank <= 4096, "rank", "in [1, 4096]", rank);
        require(Double.isFinite(alpha) && alpha > 0, "alpha", "above 0 and finite", alpha);
        require(dropout >= 0 && dropout < 1, "dropout", "in [0, 1)", dropout);
        require(!dora || dropout == 0, "dropout", "0 with DoRA", dropout);
        require(!targets.isEmpty(), "targets", "at least one name", targets);
        rankPattern.values().forEach(value -> require(value >= 1, "rankPattern", "ranks of at least 1", rankPattern));
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these options. */
    public Builder toBuilder() {
        Builder b = new Builder();
        b.rank = rank;
        b.alpha = alpha;
        b.rankStabilized = rankStabilized;
        b.dora = dora;
        b.initialization = initialization;
        b.dropout = dropout;
        b.targets = targets;
        b.exclude = exclude;
        b.layers = layers;
        b.rankPattern = rankPattern;
        b.alphaPattern = alphaPattern;
        b.bias = bias;
        b.loraBias = loraBias;
        b.modulesToSave = modulesToSave;
        return b;
    }

    /** The rank of the factors, in [1, 4096]; default 16. */
    public int rank() {
        return rank;
    }

    /** The factors are scaled by α / rank, or α / √rank if {@link #rankStabilized()}; default 16. */
    public double alpha() {
        return alpha;
    }

    /** Whether the scale is α / √rank (rsLoRA, Kalajdzievski, arXiv:2312.03732); default false. */
    public boolean rankStabilized() {
        return rankStabilized;
    }

    /**
     * Whether the lengths of rows are trained apart from their directions (DoRA, Liu et al., arXiv:2402.09353); default
     * false.
     */
    public boolean dora() {
        return dora;
    }

    /** The first values of the factors; default {@link Initialization#KAIMING}. */
    public Initialization initialization() {
        return initialization;
    }

    /**
     * The probability with which an input of the first factor is 0 in training, in [0, 1); default 0. It must be 0 with
     * DoRA.
     */
    public double dropout() {
        return dropout;
    }

    /**
     * The modules that are changed: names, ends of names, or {@link #ALL_LINEAR}; default all linear layers except the head.
     */
    public List<String> targets() {
        return targets;
    }

    /** Modules that are not changed although {@link #targets()} matches them; default none. */
    public List<String> exclude() {
        return exclude;
    }

    /** The layers whose modules are changed; default all. */
    public List<Integer> layers() {
        return layers;
    }

    /** Other ranks by a regular expression for the end of a module's name; default none. */
    public Map<String, Integer> rankPattern() {
        return rankPattern;
    }

    /** Other values of α by a regular expression for the end of a module's name; default none. */
    public Map<String, Double> alphaPattern() {
        return alphaPattern;
    }

    /** The biases of the model that are trained, too; default {@link Bias#NONE}. */
    public Bias bias() {
        return bias;
    }

    /** Whether the second factor has a bias; default false. */
    public boolean loraBias() {
        return loraBias;
    }

    /** Modules whose matrix is trained as a whole, such as {@code lm_head}; default none. */
    public List<String> modulesToSave() {
        return modulesToSave;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof LoraOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "LoraOptions[rank=" + rank + ", alpha=" + alpha + ", rankStabilized=" + rankStabilized + ", dora=" + dora
                + ", initialization=" + initialization + ", dropout=" + dropout + ", targets=" + targets + ", exclude="
                + exclude + ", layers=" + layers + ", rankPattern=" + rankPattern + ", alphaPattern=" + alphaPattern
                + ", bias=" + bias + ", loraBias=" + loraBias + ", modulesToSave=" + modulesToSave + "]";
    }

    private List<Object> values() {
        return List.of(
                rank,
                alpha,
                rankStabilized,
                dora,
                initialization,
                dropout,
                targets,
                exclude,
                layers,
                rankPattern,
                alphaPattern,
                bias,
                loraBias,
                modulesToSave);
    }

    /** Builds {@link LoraOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int rank = 16;
        private double alpha = 16;
        private boolean rankStabilized = false;
        private boolean dora = false;
        private Initialization initialization = Initialization.KAIMING;
        private double dropout = 0;
        private List<String> targets = List.of(ALL_LINEAR);
        private List<String> exclude = List.of();
        private List<Integer> layers = List.of();
        private Map<String, Integer> rankPattern = Map.of();
        private Map<String, Double> alphaPattern = Map.of();
        private Bias bias = Bias.NONE;
        private boolean loraBias = false;
        private List<String> modulesToSave = List.of();

        private Builder() {}

        /** See {@link LoraOptions#rank()}. */
        public Builder rank(int rank) {
            this.rank = rank;
            return this;
        }

        /** See {@link LoraOptions#alpha()}. */
        public Builder alpha(double alpha) {
            this.alpha = alpha;
            return this;
        }

        /** See {@link LoraOptions#rankStabilized()}. */
        public Builder rankStabilized(boolean rankStabilized) {
            this.rankStabilized = rankStabilized;
            return this;
        }

        /** See {@link LoraOptions#dora()}. */
        public Builder dora(boolean dora) {
            this.dora = dora;
            return this;
        }

        /** See {@link LoraOptions#initialization()}. */
        public Builder initialization(Initialization initialization) {
            this.initialization = initialization;
            return this;
        }

        /** See {@link LoraOptions#dropout()}. */
        public Builder dropout(double dropout) {
            this.dropout = dropout;
            return this;
        }

        /** See {@link LoraOptions#targets()}. */
        public Builder targets(List<String> targets) {
            this.targets = targets;
            return this;
        }

        /** See {@link LoraOptions#exclude()}. */
        public Builder exclude(List<String> exclude) {
            this.exclude = exclude;
            return this;
        }

        /** See {@link LoraOptions#layers()}. */
        public Builder layers(List<Integer> layers) {
            this.layers = layers;
            return this;
        }

        /** See {@link LoraOptions#rankPattern()}. */
        public Builder rankPattern(Map<String, Integer> rankPattern) {
            this.rankPattern = rankPattern;
            return this;
        }

        /** See {@link LoraOptions#alphaPattern()}. */
        public Builder alphaPattern(Map<String, Double> alphaPattern) {
            this.alphaPattern = alphaPattern;
            return this;
        }

        /** See {@link LoraOptions#bias()}. */
        public Builder bias(Bias bias) {
            this.bias = bias;
            return this;
        }

        /** See {@link LoraOptions#loraBias()}. */
        public Builder loraBias(boolean loraBias) {
            this.loraBias = loraBias;
            return this;
        }

        /** See {@link LoraOptions#modulesToSave()}. */
        public Builder modulesToSave(List<String> modulesToSave) {
            this.modulesToSave = modulesToSave;
            return this;
        }

        /** Returns the options after checking every range. */
        public LoraOptions build() {
            return new LoraOptions(this);
        }
    }
}
