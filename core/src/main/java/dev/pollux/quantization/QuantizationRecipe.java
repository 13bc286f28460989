package dev.pollux.quantization;

import dev.pollux.internal.Wildcard;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How a model is quantized. The bytes of the result depend on the model and the recipe only. <em>Immutable.</em> */
public final class QuantizationRecipe {

    /** The form of quantized weights in a graph. */
    public enum Form {
        /** Operators of ONNX Runtime: {@code MatMulNBits}, {@code GatherBlockQuantized}. They load fast and run fast. */
        OPERATORS,
        /**
         * Standard ONNX: {@code DequantizeLinear} before {@code MatMul}. For other runtimes; ONNX Runtime fuses the two when it
         * loads the model, which takes more time and memory.
         */
        QDQ
    }

    /** How {@link QuantizationMethod#INT8_STATIC} finds the range of an activation over the calibration texts. Memory is bounded. */
    public enum Range {
        /** The extremes of all values. */
        MIN_MAX,
        /** A moving average of the extremes of each text: m + .01 · (new − m). */
        MOVING_AVERAGE,
        /** The range of 99.999 % of the magnitudes; outliers are cut off. The model runs twice over the texts. */
        PERCENTILE,
        /** The range whose rounded histogram loses the least information. The model runs twice over the texts. */
        ENTROPY
    }

    /**
     * What happens to the weights that match a pattern. <em>Immutable.</em>
     *
     * @param pattern matches the whole name of a weight or of a node that reads it; {@code *} stands for any characters. {@code
     *     *.down_proj*} matches {@code layers.0.down_proj.weight} but not {@code layers.0.up_proj.weight}
     * @param bits 2, 4 or 8; 0 keeps the weights in float
     * @param blockSize 16, 32, 64, 128 or 256; 0 for the recipe's
     */
    public record Rule(String pattern, int bits, int blockSize) {

        public Rule {
            if (pattern.isBlank()) {
                throw new IllegalArgumentException("pattern must not be blank; use * to match every weight");
            }
            if (bits != 0) {
                RecipeCheck.bits("bits of rule '" + pattern + "'", bits);
            }
            if (blockSize != 0) {
                RecipeCheck.blockSize("blockSize of rule '" + pattern + "'", blockSize);
            }
        }

        /** A rule that keeps weights in float. */
        public static Rule keep(String pattern) {
            return new Rule(pattern, 0, 0);
        }

        /** A rule that gives weights other bits. */
        public static Rule bits(String pattern, int bits) {
            RecipeCheck.bits("bits of rule '" + pattern + "'", bits);
            return new Rule(pattern, bits, 0);
        }

        /** Whether the pattern matches the whole of {@code name}. */
        public boolean matches(String name) {
            return Wildcard.matches(pattern, name);
        }
    }

    /** The defaults of the builder. */
    public static final QuantizationRecipe DEFAULTS = builder().build();

    private final QuantizationMethod method;
    private final int bits;
    private final int blockSize;
    private final int headBits;
    private final boolean symmetric;
    private final boolean likeOnnxRuntime;
    private final boolean int8Activations;
    private final Form form;
    private final List<Rule> rules;
    private final CalibrationData calibration;
    private final Range range;
    private final double smoothing;

    private QuantizationRecipe(Builder b) {
        this.method = b.method;
        this.bits = b.bits;
        this.blockSize = b.blockSize;
        this.headBits = b.headBits;
        this.symmetric = b.symmetric;
        this.likeOnnxRuntime = b.likeOnnxRuntime;
        this.int8Activations = b.int8Activations;
        this.form = b.form;
        this.rules = List.copyOf(b.rules);
        this.calibration = b.calibration;
        this.range = b.range;
        this.smoothing = b.smoothing;
        RecipeCheck.of(this);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these values. */
    public Builder toBuilder() {
        Builder b = new Builder();
        b.method = method;
        b.bits = bits;
        b.blockSize = blockSize;
        b.headBits = headBits;
        b.symmetric = symmetric;
        b.likeOnnxRuntime = likeOnnxRuntime;
        b.int8Activations = int8Activations;
        b.form = form;
        b.rules.addAll(rules);
        b.calibration = calibration;
        b.range = range;
        b.smoothing = smoothing;
        return b;
    }

    /** The method; default {@link QuantizationMethod#SEARCH}. */
    public QuantizationMethod method() {
        return method;
    }

    /** Bits of a code: 2, 4 or 8; default 4. Of no effect on {@link QuantizationMethod#FLOAT16} and 8-bit integers. */
    public int bits() {
        return bits;
    }

    /** The number of weights that share a scale: 16, 32, 64, 128 or 256; default 32. Larger blocks are smaller and faster. */
    public int blockSize() {
        return blockSize;
    }

    /**
     * Bits of embedding tables and of the output head: 2, 4 or 8, 0 for float; default 8. A model loses most by errors there.
     */
    public int headBits() {
        return headBits;
    }

    /**
     * Whether codes have no zero point, so that 0 is in the middle of the range; default false. {@link
     * QuantizationMethod#LEAST_SQUARES} is always symmetric. A symmetric {@link QuantizationMethod#SEARCH} is that method.
     */
    public boolean symmetric() {
        return symmetric;
    }

    /**
     * Whether {@link QuantizationMethod#ROUND_TO_NEAREST} gives the same bytes as the default quantizer of ONNX Runtime, which
     * computes in 32-bit floats and rounds half away from zero; default false.
     */
    public boolean likeOnnxRuntime() {
        return likeOnnxRuntime;
    }

    /**
     * Whether products round activations to 8 bits, each block with its own scale; default true, which is the fast kernel. False
     * is possible at 4 bits only, and two to five times slower.
     */
    public boolean int8Activations() {
        return int8Activations;
    }

    /** The form in the graph; default {@link Form#OPERATORS}. */
    public Form form() {
        return form;
    }

    /** Rules for single weights; the first that matches applies. Default none. */
    public List<Rule> rules() {
        return rules;
    }

    /**
     * The texts of recipes that need them ({@link #needsCalibration}), at least one; for other recipes none.
     * Default none. A hundred paragraphs of the kind that the model reads suffice for {@link QuantizationMethod#INT8_STATIC};
     * decoders need some ten thousand tokens.
     */
    public CalibrationData calibration() {
        return calibration;
    }

    /** How ranges are found on {@link #calibration}; default {@link Range#MIN_MAX}. Of no effect on other methods. */
    public Range range() {
        return range;
    }

    /**
     * How much of the range of activations moves into weights before both become 8-bit integers, α in [0, 1]: SmoothQuant (Xiao
     * et al., arXiv:2211.10438), on {@link #calibration}. 0, the default, leaves them as they are; .5 suits most models. Of use
     * for {@link QuantizationMethod#INT8} and {@link QuantizationMethod#INT8_STATIC}.
     */
    public double smoothing() {
        return smoothing;
    }

    /** Whether {@link #calibration} must have texts: the method needs them, or {@link #smoothing} does. */
    public boolean needsCalibration() {
        return method.needsCalibration() || smoothing > 0;
    }

    /** The first rule that matches one of {@code names}; empty if none does. */
    public Optional<Rule> rule(List<String> names) {
        return rules.stream()
                .filter(rule -> names.stream().anyMatch(rule::matches))
                .findFirst();
    }

    /** Whether another has the same values. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof QuantizationRecipe that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "QuantizationRecipe[method=" + method.text() + ", bits=" + bits + ", blockSize=" + blockSize
                + ", headBits=" + headBits + ", symmetric=" + symmetric + ", likeOnnxRuntime=" + likeOnnxRuntime
                + ", int8Activations=" + int8Activations + ", form=" + form + ", rules=" + rules
                + ", calibration=" + calibration + ", range=" + range + ", smoothing=" + smoothing + "]";
    }

    private List<Object> values() {
        return List.of(
                List.of(method, bits, blockSize, headBits, symmetric, likeOnnxRuntime, int8Activations, form),
                rules,
                calibration,
                range,
                smoothing);
    }

    /** Builds a {@link QuantizationRecipe}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {

        private QuantizationMethod method = QuantizationMethod.SEARCH;
        private int bits = 4;
        private int blockSize = 32;
        private int headBits = 8;
        private boolean symmetric;
        private boolean likeOnnxRuntime;
        private boolean int8Activations = true;
        private Form form = Form.OPERATORS;
        private final List<Rule> rules = new ArrayList<>();
        private CalibrationData calibration = CalibrationData.NONE;
        private Range range = Range.MIN_MAX;
        private double smoothing;

        private Builder() {}

        /** See {@link QuantizationRecipe#method()}. */
        public Builder method(QuantizationMethod value) {
            method = value;
            return this;
        }

        /** See {@link QuantizationRecipe#bits()}. */
        public Builder bits(int value) {
            bits = value;
            return this;
        }

        /** See {@link QuantizationRecipe#blockSize()}. */
        public Builder blockSize(int value) {
            blockSize = value;
            return this;
        }

        /** See {@link QuantizationRecipe#headBits()}. */
        public Builder headBits(int value) {
            headBits = value;
            return this;
        }

        /** See {@link QuantizationRecipe#symmetric()}. */
        public Builder symmetric(boolean value) {
            symmetric = value;
            return this;
        }

        /** See {@link QuantizationRecipe#likeOnnxRuntime()}. */
        public Builder likeOnnxRuntime(boolean value) {
            likeOnnxRuntime = value;
            return this;
        }

        /** See {@link QuantizationRecipe#int8Activations()}. */
        public Builder int8Activations(boolean value) {
            int8Activations = value;
            return this;
        }

        /** See {@link QuantizationRecipe#form()}. */
        public Builder form(Form value) {
            form = value;
            return this;
        }

        /** Adds a rule; see {@link QuantizationRecipe#rules()}. */
        public Builder rule(Rule value) {
            rules.add(value);
            return this;
        }

        /** See {@link QuantizationRecipe#calibration()}. */
        public Builder calibration(CalibrationData value) {
            calibration = value;
            return this;
        }

        /** Texts with the defaults of {@link CalibrationData}. */
        public Builder calibration(List<String> texts) {
            return calibration(CalibrationData.of(texts));
        }

        /** See {@link QuantizationRecipe#range()}. */
        public Builder range(Range value) {
            range = value;
            return this;
        }

        /** See {@link QuantizationRecipe#smoothing()}. */
        public Builder smoothing(double value) {
            smoothing = value;
            return this;
        }

        /** Builds the recipe and checks every value. */
        public QuantizationRecipe build() {
            return new QuantizationRecipe(this);
        }
    }
}
