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
 * The description of a merge: models, method, parameters and output types. <em>Immutable.</em>
 *
 * <p>A plan need not be valid. {@link ModelMerger#plan} reports all of its problems in one list.
 *
 * <pre>{@code
 * MergePlan plan = MergePlan.builder("ties")
 *         .base("base")
 *         .model("writer", Map.of("weight", LayerSchedule.of(0.6), "density", LayerSchedule.of(0.5)))
 *         .model("coder", Map.of("weight", LayerSchedule.gradient(0.2, 0.8), "density", LayerSchedule.of(0.5)))
 *         .dtype("float32")
 *         .build();
 * }</pre>
 *
 * @param name the name of the stage, by which later plans refer to its result; empty for the final plan
 * @param method the name of the method, such as {@code "ties"}
 * @param slices the layers of the result from first to last; one slice without layer ranges takes whole models
 * @param modules the modules of multimodal models, each merged with its own settings; if there are any, {@code slices} and
 *     {@code moduleParameters} are empty
 * @param base the model from which differences are taken
 * @param moduleParameters parameters of the module; they override {@code parameters} and are overridden by those of a slice
 * @param parameters parameters of the whole merge; the first scope with a value applies: input, slice, module, plan, the
 *     method's default
 * @param dtype the type of the calculation and, if {@code outDtype} is empty, of the output; the calculation never uses less
 *     than float32
 * @param outDtype the type to write
 * @param tokenizer how the tokenizers are joined; empty copies the tokenizer of the base or of the first model
 * @param chatTemplate {@code auto}, a name, or the template itself
 * @param stages merges that run before this one; this plan may use their names as models
 * @param findings problems found when the plan was read
 */
public record MergePlan(
        Optional<String> name,
        String method,
        List<Slice> slices,
        List<Module> modules,
        Optional<ModelReference> base,
        Map<String, LayerSchedule> moduleParameters,
        Map<String, LayerSchedule> parameters,
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

    /** Returns this plan with {@code earlier} stages that run before it. */
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

    /** Returns this plan restricted to one module. */
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

    /** Returns the slices of all modules, or those of the plan if it has no modules. */
    public Stream<Slice> allSlices() {
        return Stream.concat(slices.stream(), modules.stream().flatMap(module -> module.slices().stream()));
    }

    /** Returns the models that the plan names, the base last. They may include stages of this plan or of another. */
    public Stream<ModelReference> models() {
        return Stream.concat(
                allSlices()
                        .flatMap(slice ->
                                Stream.concat(slice.inputs().stream().map(Input::model), slice.base().stream())),
                base.stream());
    }

    /** Sorted by name: the order of {@link Map#of} differs between processes, and reports must not. */
    private static Map<String, LayerSchedule> ordered(Map<String, LayerSchedule> map) {
        return Collections.unmodifiableMap(new TreeMap<>(map));
    }

    /**
     * One module of a multimodal model, such as its language model. <em>Immutable.</em>
     *
     * @param name the prefix of its tensor names, such as {@code model.visual}, or its role, such as {@code text_decoder}
     * @param slices see {@link MergePlan#slices()}
     * @param parameters parameters of the module; they override those of the plan and are overridden by those of a slice
     */
    public record Module(String name, List<Slice> slices, Map<String, LayerSchedule> parameters) {

        public Module {
            slices = List.copyOf(slices);
            parameters = ordered(parameters);
        }
    }

    /**
     * Consecutive layers of the result. <em>Immutable.</em>
     *
     * @param inputs the layers to merge; all inputs have the same number of layers
     * @param base replaces the base of the plan
     * @param parameters parameters of the slice; they override those of the module and are overridden by those of an input
     */
    public record Slice(List<Input> inputs, Optional<ModelReference> base, Map<String, LayerSchedule> parameters) {

        public Slice {
            inputs = List.copyOf(inputs);
            parameters = ordered(parameters);
        }

        /** Returns a slice without parameters of its own. */
        public static Slice of(Input... inputs) {
            return new Slice(List.of(inputs), Optional.empty(), Map.of());
        }
    }

    /**
     * A model or a range of its layers. <em>Immutable.</em>
     *
     * @param layers the range; empty for the whole model
     */
    public record Input(ModelReference model, Optional<LayerRange> layers, Map<String, LayerSchedule> parameters) {

        public Input {
            parameters = ordered(parameters);
        }

        /** Returns the layers {@code from} (inclusive) to {@code to} (exclusive) of a model. */
        public static Input layers(String model, int from, int to, Map<String, LayerSchedule> parameters) {
            return new Input(ModelReference.parse(model), Optional.of(new LayerRange(from, to)), parameters);
        }
    }

    /** The layers {@code from} (inclusive) to {@code to} (exclusive). <em>Immutable.</em> */
    public record LayerRange(int from, int to) {

        /** Returns {@code to - from}, the number of layers; 0 or less if the range is invalid. */
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
        private final Map<String, LayerSchedule> moduleParameters = new LinkedHashMap<>();
        private final Map<String, LayerSchedule> parameters = new LinkedHashMap<>();
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

        /** Makes the plan a named stage. */
        public Builder name(String name) {
            this.name = Optional.of(name);
            return this;
        }

        /** See {@link MergePlan#base()}. */
        public Builder base(String model) {
            this.base = Optional.of(ModelReference.parse(model));
            return this;
        }

        /** Adds a whole model with its parameters; excludes {@link #slice}. */
        public Builder model(String model, Map<String, LayerSchedule> modelParameters) {
            models.add(new Input(ModelReference.parse(model), Optional.empty(), modelParameters));
            return this;
        }

        /** Adds layers; excludes {@link #model}. */
        public Builder slice(Slice slice) {
            slices.add(slice);
            return this;
        }

        /** Adds a module; excludes {@link #model} and {@link #slice}. */
        public Builder module(Module module) {
            modules.add(module);
            return this;
        }

        /** See {@link MergePlan#parameters()}. */
        public Builder parameter(String parameter, LayerSchedule value) {
            parameters.put(parameter, value);
            return this;
        }

        /** See {@link MergePlan#moduleParameters()}. */
        public Builder moduleParameter(String parameter, LayerSchedule value) {
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

        /** Adds a merge that runs before this one. The stage needs a {@link #name}. */
        public Builder stage(MergePlan stage) {
            stages.add(stage);
            return this;
        }

        /** Adds a problem found while the plan was read. */
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
