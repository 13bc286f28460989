package dev.pollux.merging;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What is to be merged, and how. <em>Immutable.</em>
 *
 * <p>A plan may be wrong: {@link ModelMerger#plan} says everything that is, in one list.
 *
 * <pre>{@code
 * MergePlan plan = MergePlan.builder("ties")
 *         .base("base")
 *         .model("writer", Map.of("weight", Setting.of(0.6), "density", Setting.of(0.5)))
 *         .model("coder", Map.of("weight", Setting.gradient(0.2, 0.8), "density", Setting.of(0.5)))
 *         .dtype("float32")
 *         .build();
 * }</pre>
 *
 * @param name of a stage, so that later plans can use its result; empty for the last
 * @param method the field's name of the method, such as {@code "ties"}
 * @param slices the layers of the result from first to last; one slice without layer ranges takes whole models
 * @param modules parts of models that see or hear too, each merged in its own way; {@code slices} and {@code moduleParameters}
 *     are empty then
 * @param base the model the others are compared with
 * @param moduleParameters between those of a slice and {@code parameters}
 * @param parameters of the whole merge; the nearest wins: input, slice, module, plan, the method's default
 * @param dtype the type to calculate and, if {@code outDtype} is empty, to write in; calculation is never less precise than
 *     float32 here
 * @param outDtype the type to write
 * @param tokenizer how to join the tokenizers; empty copies that of the base or first model
 * @param chatTemplate {@code auto}, a name, or the template itself
 * @param stages merges to do before this one, whose names it may use as models
 * @param findings what was already seen to be wrong when the plan was read
 */
public record MergePlan(
        Optional<String> name,
        String method,
        List<Slice> slices,
        List<Module> modules,
        Optional<ModelReference> base,
        Map<String, Setting> moduleParameters,
        Map<String, Setting> parameters,
        Optional<String> dtype,
        Optional<String> outDtype,
        Optional<TokenizerChoice> tokenizer,
        Optional<String> chatTemplate,
        List<MergePlan> stages,
        List<MergeProblem> findings) {

    public MergePlan {
        slices = List.copyOf(slices);
        modules = List.copyOf(modules);
        moduleParameters = ordered(moduleParameters);
        parameters = ordered(parameters);
        stages = List.copyOf(stages);
        findings = List.copyOf(findings);
    }

    /** A builder of a plan for {@code method}. */
    public static Builder builder(String method) {
        return new Builder(method);
    }

    /** The same plan with stages before it. */
    public MergePlan after(List<MergePlan> earlier) {
        return new MergePlan(
                name,
                method,
                slices,
                modules,
                base,
                moduleParameters,
                parameters,
                dtype,
                outDtype,
                tokenizer,
                chatTemplate,
                earlier,
                findings);
    }

    /** The same plan for a module alone. */
    public MergePlan of(Module module) {
        return new MergePlan(
                name,
                method,
                module.slices(),
                List.of(),
                base,
                module.parameters(),
                parameters,
                dtype,
                outDtype,
                tokenizer,
                chatTemplate,
                stages,
                findings);
    }

    /** The slices of all modules, or of the plan where it has none. */
    public Stream<Slice> allSlices() {
        return Stream.concat(slices.stream(), modules.stream().flatMap(module -> module.slices().stream()));
    }

    /** The models it names, the base last; stages of this or another plan may be among them. */
    public Stream<ModelReference> models() {
        return Stream.concat(
                allSlices()
                        .flatMap(slice ->
                                Stream.concat(slice.inputs().stream().map(Input::model), slice.base().stream())),
                base.stream());
    }

    /** By name: the order of {@link Map#of} changes from process to process, that of a report must not. */
    private static Map<String, Setting> ordered(Map<String, Setting> map) {
        return Collections.unmodifiableMap(new TreeMap<>(map));
    }

    /**
     * A module of models that have several, such as the language model of one that sees. <em>Immutable.</em>
     *
     * @param name what the names of its tensors begin with, such as {@code model.visual}, or what it is for, such as
     *     {@code text_decoder}
     * @param slices see {@link MergePlan#slices()}
     * @param parameters between those of a slice and those of the plan
     */
    public record Module(String name, List<Slice> slices, Map<String, Setting> parameters) {

        public Module {
            slices = List.copyOf(slices);
            parameters = ordered(parameters);
        }
    }

    /**
     * Consecutive layers of the result. <em>Immutable.</em>
     *
     * @param inputs what they are made of; all have as many layers
     * @param base instead of the plan's
     * @param parameters between those of an input and those of the module
     */
    public record Slice(List<Input> inputs, Optional<ModelReference> base, Map<String, Setting> parameters) {

        public Slice {
            inputs = List.copyOf(inputs);
            parameters = ordered(parameters);
        }

        /** A slice without parameters of its own. */
        public static Slice of(Input... inputs) {
            return new Slice(List.of(inputs), Optional.empty(), Map.of());
        }
    }

    /**
     * A model, or layers of it. <em>Immutable.</em>
     *
     * @param layers empty for all, outside {@code slices}
     */
    public record Input(ModelReference model, Optional<LayerRange> layers, Map<String, Setting> parameters) {

        public Input {
            parameters = ordered(parameters);
        }

        /** Layers {@code from} to before {@code to} of a model. */
        public static Input layers(String model, int from, int to, Map<String, Setting> parameters) {
            return new Input(ModelReference.parse(model), Optional.of(new LayerRange(from, to)), parameters);
        }
    }

    /**
     * Layers {@code from} to before {@code to}. <em>Immutable.</em>
     */
    public record LayerRange(int from, int to) {

        /** The number of layers; 0 or less where the range is wrong. */
        public int size() {
            return to - from;
        }

        @Override
        public String toString() {
            return "[" + from + ", " + to + "]";
        }
    }

    /** Builds a {@link MergePlan}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private final String method;
        private final List<Input> models = new ArrayList<>();
        private final List<Slice> slices = new ArrayList<>();
        private final List<Module> modules = new ArrayList<>();
        private final Map<String, Setting> moduleParameters = new LinkedHashMap<>();
        private final Map<String, Setting> parameters = new LinkedHashMap<>();
        private final List<MergePlan> stages = new ArrayList<>();
        private final List<MergeProblem> findings = new ArrayList<>();
        private Optional<String> name = Optional.empty();
        private Optional<ModelReference> base = Optional.empty();
        private Optional<String> dtype = Optional.empty();
        private Optional<String> outDtype = Optional.empty();
        private Optional<TokenizerChoice> tokenizer = Optional.empty();
        private Optional<String> chatTemplate = Optional.empty();

        private Builder(String method) {
            this.method = method;
        }

        /** Makes the plan a stage with this name. */
        public Builder name(String name) {
            this.name = Optional.of(name);
            return this;
        }

        /** See {@link MergePlan#base()}. */
        public Builder base(String model) {
            this.base = Optional.of(ModelReference.parse(model));
            return this;
        }

        /** Adds a whole model with its parameters; not together with {@link #slice}. */
        public Builder model(String model, Map<String, Setting> modelParameters) {
            models.add(new Input(ModelReference.parse(model), Optional.empty(), modelParameters));
            return this;
        }

        /** Adds layers; not together with {@link #model}. */
        public Builder slice(Slice slice) {
            slices.add(slice);
            return this;
        }

        /** Adds a module; not together with {@link #model} or {@link #slice}. */
        public Builder module(Module module) {
            modules.add(module);
            return this;
        }

        /** See {@link MergePlan#parameters()}. */
        public Builder parameter(String parameter, Setting value) {
            parameters.put(parameter, value);
            return this;
        }

        /** See {@link MergePlan#moduleParameters()}. */
        public Builder moduleParameter(String parameter, Setting value) {
            moduleParameters.put(parameter, value);
            return this;
        }

        /** See {@link MergePlan#dtype()}. */
        public Builder dtype(String dtype) {
            this.dtype = Optional.of(dtype);
            return this;
        }

        /** See {@link MergePlan#outDtype()}. */
        public Builder outDtype(String outDtype) {
            this.outDtype = Optional.of(outDtype);
            return this;
        }

        /** See {@link MergePlan#tokenizer()}. */
        public Builder tokenizer(TokenizerChoice tokenizer) {
            this.tokenizer = Optional.of(tokenizer);
            return this;
        }

        /** See {@link MergePlan#chatTemplate()}. */
        public Builder chatTemplate(String chatTemplate) {
            this.chatTemplate = Optional.of(chatTemplate);
            return this;
        }

        /** Adds a merge to do before this one; it needs a {@link #name}. */
        public Builder stage(MergePlan stage) {
            stages.add(stage);
            return this;
        }

        /** Adds something already seen to be wrong. */
        public Builder finding(MergeProblem finding) {
            findings.add(finding);
            return this;
        }

        /** The plan. */
        public MergePlan build() {
            if (!models.isEmpty() && !slices.isEmpty()) {
                throw new IllegalArgumentException("a plan takes whole models or slices, not both; use one of them");
            }
            if (!modules.isEmpty() && !(models.isEmpty() && slices.isEmpty() && moduleParameters.isEmpty())) {
                throw new IllegalArgumentException(
                        "a plan of modules takes models, slices and their parameters in each; give them there");
            }
            List<Slice> parts = models.isEmpty() ? slices : List.of(new Slice(models, Optional.empty(), Map.of()));
            return new MergePlan(
                    name,
                    method,
                    parts,
                    modules,
                    base,
                    moduleParameters,
                    parameters,
                    dtype,
                    outDtype,
                    tokenizer,
                    chatTemplate,
                    stages,
                    findings);
        }
    }
}
