package dev.pollux.quantization;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** How codes and scales of weights are chosen. */
public enum QuantizationMethod {
    /** The scale spans the block's range, and each weight is rounded to the nearest code. The fastest method. */
    ROUND_TO_NEAREST("rtn"),
    /**
     * Searches zero point and scale together for the least squared error; never worse than {@link #ROUND_TO_NEAREST} in any
     * block.
     */
    SEARCH("search"),
    /** Symmetric codes; searches the scale for the least squared error. */
    LEAST_SQUARES("least-squares"),
    /**
     * Half-quadratic quantization (Badri and Shaji, "Half-Quadratic Quantization of Large Machine Learning Models", 2023) with
     * integer zero points. For comparison: the zero points that it optimizes lose their gain when they are rounded.
     */
    HQQ("hqq"),
    /** The weighted least squares of llama.cpp's K-quants with integer zero points, as ONNX Runtime has it. For comparison. */
    K_QUANT("k-quant"),
    /**
     * GPTQ (Frantar et al., arXiv:2210.17323): rounds the inputs of a matrix one after the other, and corrects the inputs that
     * follow so that the outputs on {@link QuantizationRecipe#calibration} change least. It runs layer by layer on the model as
     * quantized so far. For checkpoints of decoders.
     */
    GPTQ("gptq"),
    /**
     * Activation-aware quantization (Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration",
     * arXiv:2306.00978): scales up the inputs of a matrix that are large on {@link QuantizationRecipe#calibration}, so that their
     * weights lose less, and divides what computes these inputs by the same scales: a norm, or the rows of the matrix before. For
     * checkpoints of decoders. Adapters do not fit the result, because they belong to inputs without scales.
     */
    AWQ("awq"),
    /** No codes: 16-bit floats, converted to 32 bits when the model is loaded. Half the file, and nearly no loss. */
    FLOAT16("float16"),
    /**
     * 8-bit integers with one scale for each column of a matrix. Products are computed in integers: each run rounds the
     * activations to 8 bits by their range in this run. For models of all kinds, best for embedders, rerankers and plain
     * networks; the fastest form for long texts.
     */
    INT8("int8"),
    /**
     * 8-bit integers like {@link #INT8}, but the ranges of activations are measured beforehand on the texts of {@link
     * QuantizationRecipe#calibration}. For embedders, rerankers and checkpoints of decoders.
     */
    INT8_STATIC("int8-static");

    private final String text;

    QuantizationMethod(String text) {
        this.text = text;
    }

    /** Whether codes are 8-bit integers without blocks. */
    public boolean isInteger() {
        return this == INT8 || this == INT8_STATIC;
    }

    /** Whether it needs {@link QuantizationRecipe#calibration}. */
    public boolean needsCalibration() {
        return this == INT8_STATIC || runsLayerByLayer();
    }

    /** Whether it runs a decoder layer by layer over calibration texts. */
    public boolean runsLayerByLayer() {
        return this == GPTQ || this == AWQ;
    }

    /** The name in recipes, reports and manifests, such as {@code k-quant}. */
    public String text() {
        return text;
    }

    /** The method with this {@link #text}, in any case; empty if there is none. */
    public static Optional<QuantizationMethod> of(String text) {
        return Arrays.stream(values())
                .filter(method -> method.text.equals(text.toLowerCase(Locale.ROOT)))
                .findFirst();
    }

    /** The names of all methods, in order. */
    public static List<String> texts() {
        return Arrays.stream(values()).map(QuantizationMethod::text).toList();
    }
}
