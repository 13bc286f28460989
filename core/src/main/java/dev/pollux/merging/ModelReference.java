package dev.pollux.merging;

import java.util.Optional;

/**
 * A reference to a model in a plan: {@code path[@revision][+adapter[@revision]]}. <em>Immutable.</em>
 *
 * @param model a folder, relative to the folder of the merge, or the name of an earlier stage
 * @param revision a commit or tag; a merger that does not download models rejects it
 * @param adapter a folder or a GGUF file with a LoRA adapter to apply to the model
 * @param adapterRevision a commit or tag of the adapter; see {@code revision}
 */
public record ModelReference(
        String model, Optional<String> revision, Optional<String> adapter, Optional<String> adapterRevision) {

    public ModelReference {
        if (model.isBlank()) {
            throw new IllegalArgumentException("model must not be blank; name a folder");
        }
    }

    /** Parses {@code path[@revision][+adapter[@revision]]}. */
    public static ModelReference parse(String text) {
        int plus = text.indexOf('+');
        String model = plus < 0 ? text : text.substring(0, plus);
        Optional<String> adapter = plus < 0 ? Optional.empty() : Optional.of(text.substring(plus + 1));
        return new ModelReference(
                name(model),
                revision(model),
                adapter.map(ModelReference::name),
                adapter.flatMap(ModelReference::revision));
    }

    private static String name(String part) {
        int at = part.indexOf('@');
        return at < 0 ? part : part.substring(0, at);
    }

    private static Optional<String> revision(String part) {
        int at = part.indexOf('@');
        return at < 0 ? Optional.empty() : Optional.of(part.substring(at + 1));
    }

    /** Returns the text form that {@link #parse} reads. */
    @Override
    public String toString() {
        return model
                + revision.map(r -> "@" + r).orElse("")
                + adapter.map(a -> "+" + a).orElse("")
                + adapterRevision.map(r -> "@" + r).orElse("");
    }
}
