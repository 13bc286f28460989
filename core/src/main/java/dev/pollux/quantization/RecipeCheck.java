package dev.pollux.quantization;

import dev.pollux.quantization.QuantizationRecipe.Rule;
import java.util.List;

/** What the values of a recipe must be. */
final class RecipeCheck {

    private static final List<Integer> BITS = List.of(2, 4, 8);
    private static final List<Integer> BLOCKS = List.of(16, 32, 64, 128, 256);

    private final QuantizationRecipe recipe;
    private final QuantizationMethod method;

    private RecipeCheck(QuantizationRecipe recipe) {
        this.recipe = recipe;
        this.method = recipe.method();
    }

    /** @throws IllegalArgumentException if a value is out of range, or two do not fit */
    static void of(QuantizationRecipe recipe) {
        RecipeCheck check = new RecipeCheck(recipe);
        check.calibration();
        check.rules();
        bits("bits", recipe.bits());
        blockSize("blockSize", recipe.blockSize());
        if (recipe.headBits() != 0) {
            bits("headBits", recipe.headBits());
        }
        check.method();
        check.activations("bits", recipe.bits());
        check.activations("headBits", recipe.headBits());
        recipe.rules().forEach(rule -> check.activations("bits of rule '" + rule.pattern() + "'", rule.bits()));
    }

    static void bits(String what, int bits) {
        if (!BITS.contains(bits)) {
            throw new IllegalArgumentException(what + " must be 2, 4 or 8 but was " + bits);
        }
    }

    static void blockSize(String what, int blockSize) {
        if (!BLOCKS.contains(blockSize)) {
            throw new IllegalArgumentException(what + " must be 16, 32, 64, 128 or 256 but was " + blockSize);
        }
    }

    private void calibration() {
        double smoothing = recipe.smoothing();
        if (!(smoothing >= 0 && smoothing <= 1)) {
            throw new IllegalArgumentException("smoothing must be in [0, 1] but was " + smoothing);
        }
        if (smoothing > 0 && !method.isInteger()) {
            throw new IllegalArgumentException("smoothing must be 0 for the method " + method.text() + " but was "
                    + smoothing + "; only int8 and int8-static round activations by a range that it makes smaller");
        }
        if (smoothing > 0 && recipe.calibration().isEmpty()) {
            throw new IllegalArgumentException("calibration must have at least one text for the smoothing " + smoothing
                    + " but has none; give texts of the kind that the model reads, or no smoothing");
        }
        if (method.needsCalibration() && recipe.calibration().isEmpty()) {
            throw new IllegalArgumentException("calibration must have at least one text for the method " + method.text()
                    + " but has none; give texts of the kind that the model reads, or use "
                    + (method.isInteger() ? "int8" : "search"));
        }
        if (!recipe.needsCalibration() && !recipe.calibration().isEmpty()) {
            throw new IllegalArgumentException("calibration must be empty for the method " + method.text() + " but has "
                    + recipe.calibration().texts().size()
                    + " texts; only gptq, awq, int8-static and smoothing read texts");
        }
    }

    private void rules() {
        for (Rule rule : recipe.rules()) {
            if (method.isInteger() && (rule.bits() != 0 || rule.blockSize() != 0)) {
                throw new IllegalArgumentException(
                        "the rule '" + rule.pattern() + "' must keep weights in float for the method " + method.text()
                                + ", which has 8 bits and no blocks; use Rule.keep");
            }
        }
    }

    private void method() {
        if (recipe.likeOnnxRuntime() && method != QuantizationMethod.ROUND_TO_NEAREST) {
            throw new IllegalArgumentException("likeOnnxRuntime needs the method rtn but the method was "
                    + method.text() + "; ONNX Runtime's default quantizer only rounds");
        }
        if (recipe.symmetric() && (method == QuantizationMethod.HQQ || method == QuantizationMethod.K_QUANT)) {
            throw new IllegalArgumentException("symmetric does not fit the method " + method.text()
                    + ", which chooses zero points; use rtn, search or least-squares");
        }
    }

    /** At 2 and 8 bits the kernel without int8 activations decodes the whole matrix in each step: 40 to 300 times slower. */
    private void activations(String what, int bits) {
        if (!recipe.int8Activations()
                && method != QuantizationMethod.FLOAT16
                && !method.isInteger()
                && bits != 4
                && bits != 0) {
            throw new IllegalArgumentException("int8Activations must be true at " + bits + " bits (" + what
                    + "): without them the kernel is up to 300 times slower; use 4 bits or int8 activations");
        }
    }
}
