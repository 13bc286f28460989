package dev.pollux.inference.gguf;

import dev.pollux.tensor.DType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Chooses the type of each tensor as llama.cpp's quantizer does. <em>Confined to one thread.</em> */
final class TypeChoice {

    /*
     * Vectors, norms, routers, positions and kernels of convolutions stay F32. The head, or the embedding that serves as the
     * head, gets Q6_K if matrices get a type below 8 bits; Q4_K gives 6 bits to the values and down projections of the first and
     * last eighth of the layers and of every third layer between them, 5 bits to fused qkv matrices, and 8 bits to keys and
     * values of models with eight experts. A type whose block does not divide the rows is replaced: Q4_K → Q5_0, Q5_K → Q5_1,
     * Q6_K → Q8_0, anything else → F16. Source: llama_tensor_get_type in llama.cpp's src/llama-quant.cpp.
     */

    private static final Pattern LAYER = Pattern.compile("blk\\.(\\d+)\\..*");
    private static final Pattern FLOAT = Pattern.compile(
            ".*_norm\\.weight|.*ffn_gate_inp.*|.*(ssm_conv1d|shortconv\\.conv)\\.weight|(position_embd|token_types).weight"
                    + "|rope_f.*\\.weight|.*\\.(altup|laurel).*|.*attn_rel_b\\.weight|.*\\.bias|.*norm[^.]*\\.weight");

    private final GgufOptions options;
    private final boolean tied;
    private final boolean eightExperts;
    private final List<String> values; // matrices of values, by layer
    private final List<String> downs;
    private int replaced;

    TypeChoice(GgufOptions options, List<PlannedTensor> tensors, long experts) {
        this.options = options;
        this.eightExperts = experts == 8;
        this.tied = tensors.stream().noneMatch(one -> one.name().equals("output.weight"));
        this.values = ordered(tensors, ".*\\.(attn_v|attn_qkv|attn_kv_b)\\.weight");
        this.downs = ordered(tensors, ".*\\.ffn_down(_exps)?\\.weight");
    }

    private static List<String> ordered(List<PlannedTensor> tensors, String pattern) {
        List<String> names = new ArrayList<>(tensors.stream()
                .map(PlannedTensor::name)
                .filter(name -> name.matches(pattern))
                .toList());
        names.sort(Comparator.comparingInt(TypeChoice::layer));
        return names;
    }

    private static int layer(String name) {
        Matcher layer = LAYER.matcher(name);
        return layer.matches() ? Integer.parseInt(layer.group(1)) : 0;
    }

    PlannedTensor typed(PlannedTensor tensor) {
        String name = tensor.name();
        if (tensor.source() instanceof ElementSource.Constant
                || tensor.tensor().shape().size() < 2
                || FLOAT.matcher(name).matches()) {
            return tensor.as(DType.F32);
        }
        DType type = options.rules().stream()
                .filter(rule -> rule.matches(name))
                .findFirst()
                .map(GgufOptions.Rule::type)
                .orElseGet(() -> byDefault(name));
        DType fitting = fitting(type, tensor.row());
        replaced += fitting == type ? 0 : 1;
        return tensor.as(fitting);
    }

    /** The number of tensors whose type was replaced, since its block does not divide their rows. */
    int replaced() {
        return replaced;
    }

    private DType byDefault(String name) {
        DType type = options.type().type();
        if (!type.isBlock()) {
            return type;
        }
        if (name.equals("output.weight") || tied && name.equals("token_embd.weight")) {
            return type == DType.Q8_0 ? type : DType.Q6_K;
        }
        if (eightExperts && name.matches(".*\\.attn_[kv]\\.weight")) {
            return DType.Q8_0;
        }
        if (type != DType.Q4_K) {
            return type;
        }
        if (name.endsWith(".attn_qkv.weight") || eightExperts && name.endsWith(".attn_output.weight")) {
            return DType.Q5_K;
        }
        boolean sensitive = name.endsWith(".attn_v.weight") && moreBits(values, name)
                || downs.contains(name) && moreBits(downs, name);
        return sensitive ? DType.Q6_K : type;
    }

    private static boolean moreBits(List<String> names, String name) {
        int i = names.indexOf(name);
        int n = names.size();
        return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
    }

    private static DType fitting(DType type, int row) {
        if (row % type.blockSize() == 0) {
            return type;
        }
        DType other = switch (type) {
            case Q4_K -> DType.Q5_0;
            case Q5_K -> DType.Q5_1;
            case Q6_K -> DType.Q8_0;
            default -> DType.F16;
        };
        return row % other.blockSize() == 0 ? other : DType.F16;
    }
}
