package dev.pollux.inference.gguf;

import java.util.List;

/**
 * The content of a file before it is written. <em>Immutable.</em>
 *
 * @param architecture {@code general.architecture}
 * @param tensors in the order of the file
 * @param bytesBefore bytes of the tensors of the original
 * @param bytes size of the whole file
 * @param notices what the caller should know
 */
public record GgufPreview(
        String architecture, List<GgufTensor> tensors, long bytesBefore, long bytes, List<String> notices) {

    public GgufPreview {
        tensors = List.copyOf(tensors);
        notices = List.copyOf(notices);
    }
}
