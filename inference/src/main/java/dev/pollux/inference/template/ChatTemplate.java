package dev.pollux.inference.template;

import dev.pollux.generation.Message;
import dev.pollux.generation.Tool;
import java.time.Clock;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A chat template: the Jinja source that comes with a model and turns a conversation into the one text that the model
 * was trained to go on from.
 *
 * <pre>{@code
 * ChatTemplate template = ChatTemplate.parse("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}");
 * String prompt = template.render(ChatTemplate.Input.of(List.of(Message.user("Hello"))));
 * }</pre>
 *
 * <p>The language is that of Jinja2 3.1.6 in the set-up of Hugging Face transformers: {@code trim_blocks} and {@code
 * lstrip_blocks}, the immutable sandbox (a template changes nothing but its own namespaces), {@code break} and {@code
 * continue}, {@code {% generation %}}, {@code raise_exception}, {@code strftime_now}, and {@code tojson} with {@code
 * indent}, {@code separators}, {@code sort_keys} and {@code ensure_ascii}, which leaves HTML and other scripts as they
 * are. Values follow Python: its operators, its printing, its methods of strings, lists and dicts; an undefined variable
 * prints as nothing.
 *
 * <p>Other than in Jinja2:
 * <ul>
 *   <li>{@code include}, {@code import} and {@code extends} are refused, {@code block} is rendered in place, without
 *       {@code self} and {@code super()};
 *   <li>{@code autoescape} is read and does nothing; {@code |safe} and {@code |escape} work;
 *   <li>{@code random} and {@code lipsum} are refused, for the same input gives the same text; {@code urlize} and the
 *       {@code do} and {@code trans} extensions are absent, and so are Python's bytes, sets and complex numbers;
 *   <li>an integer has at most 4300 digits; {@code 'x'|tojson(4)} takes a number in first place as the indent;
 *   <li>a template is stopped when it exceeds the {@link TemplateLimits}. Nothing a template does can read a file, reach
 *       a Java object, or end in anything but text or a {@link TemplateException}.
 * </ul>
 *
 * <p><em>Thread-safe.</em>
 */
public final class ChatTemplate {

    private final String source;
    private final TemplateLimits limits;
    private final List<Statement> statements;

    private ChatTemplate(String source, TemplateLimits limits, List<Statement> statements) {
        this.source = source;
        this.limits = limits;
        this.statements = statements;
    }

    /**
     * The template with this source, under {@link TemplateLimits#DEFAULTS}.
     *
     * @throws TemplateException if it is not valid
     */
    public static ChatTemplate parse(String source) {
        return parse(source, TemplateLimits.DEFAULTS);
    }

    /**
     * The template with this source.
     *
     * @throws TemplateException if it is not valid, or longer than the limits allow
     */
    public static ChatTemplate parse(String source, TemplateLimits limits) {
        if (source.length() > limits.maxSourceLength()) {
            throw TemplateException.syntax(
                    Position.START,
                    "the source has " + source.length() + " characters, which exceeds maxSourceLength "
                            + limits.maxSourceLength());
        }
        StatementParser parser = new StatementParser(new TokenStream(Lexer.tokens(source)));
        return new ChatTemplate(source, limits, parser.template());
    }

    /** What was parsed. */
    public String source() {
        return source;
    }

    /**
     * The conversation as text.
     *
     * @throws TemplateException if the template refuses the input ({@link TemplateException#raisedByTemplate}), cannot
     *     take it, or exceeds its limits
     */
    public String render(Input input) {
        return renderWithSpans(input).text();
    }

    /**
     * The conversation as text, with what is known of its parts.
     *
     * <p>{@link Rendering#inputs} tells the words of users, tools and documents from those of the template, whatever the
     * template does with them: marks follow characters through operators, filters and methods. Where an operation makes
     * other characters, such as those of {@code urlencode}, its whole result counts as input. Only the template's text may
     * hold control tokens. It includes the variables {@code bos_token}, {@code eos_token} and all others of which the name
     * ends so, and the roles of messages, as far as they are words of letters, digits, {@code _} and {@code -}.
     *
     * <p>{@link Rendering#generations} are the parts that {@code {% generation %}} marks as the assistant's, from which the
     * mask of the tokens to train on is made. A part is found wherever its block writes straight into the text, also
     * through a macro, a call block or a variable that is printed as it is; it is lost where its text goes through a filter
     * or an operator.
     *
     * @throws TemplateException as {@link #render}
     */
    public Rendering renderWithSpans(Input input) {
        Interpreter in = new Interpreter(limits, () -> ZonedDateTime.now(input.clock()));
        try {
            Frame frame = Frame.root(in);
            Values values = new Values(in);
            input.context().forEach((name, value) -> frame.set(name, values.variable(name, value)));
            Statement.renderAll(statements, frame);
            Rendering rendering = in.rendering();
            return input.continueFinalMessage() ? cut(rendering, input) : rendering;
        } catch (Failure e) {
            throw TemplateException.runtime(in.position(), e);
        } catch (StackOverflowError e) {
            throw TemplateException.runtime(
                    in.position(), Failure.of("the thread's stack is too small for this nesting"));
        }
    }

    /** Ends the text with the last message, so that the model goes on with it. */
    private static Rendering cut(Rendering rendering, Input input) {
        String message = finalText(input.messages());
        String stripped = CodePoints.stripStart(CodePoints.stripEnd(message));
        int at = rendering.text().lastIndexOf(stripped);
        if (at < 0) {
            throw Failure.of(
                    "the final message cannot be continued: the template does not render its content as it is");
        }
        String kept = CodePoints.stripStart(message);
        int end = at + (rendering.text().startsWith(kept, at) ? kept.length() : stripped.length());
        return new Rendering(
                rendering.text().substring(0, end),
                before(end, rendering.inputs()),
                before(end, rendering.generations()));
    }

    private static List<Span> before(int end, List<Span> spans) {
        return spans.stream()
                .filter(span -> span.begin() < end)
                .map(span -> new Span(span.begin(), Math.min(end, span.end())))
                .toList();
    }

    /** The content of the last message: a string, or the last text of a list of parts. */
    private static String finalText(List<Map<String, Object>> messages) {
        Object content =
                messages.isEmpty() ? "" : messages.get(messages.size() - 1).get("content");
        if (content instanceof List<?> parts
                && !parts.isEmpty()
                && parts.get(parts.size() - 1) instanceof Map<?, ?> part) {
            content = part.get("text");
        }
        if (content instanceof String text && !text.isBlank()) {
            return text;
        }
        throw Failure.of("the final message cannot be continued: it has no text");
    }

    /**
     * A range of the text, in UTF-16 units. <em>Immutable.</em>
     *
     * @param begin where it begins
     * @param end where it ends, exclusive
     */
    public record Span(int begin, int end) {}

    /**
     * A conversation as text. <em>Immutable.</em>
     *
     * @param text what the model reads
     * @param inputs what in it comes from the {@link Input} and not from the template, in order
     * @param generations what in it the assistant wrote, as the template marks it, in order; empty where it marks nothing
     */
    public record Rendering(String text, List<Span> inputs, List<Span> generations) {

        public Rendering {
            inputs = List.copyOf(inputs);
            generations = List.copyOf(generations);
        }
    }

    /**
     * What a template is rendered with. Values are maps, lists, strings, numbers, booleans and null, as JSON has them;
     * they are read at each rendering. <em>Immutable, as far as the maps and lists given are.</em>
     *
     * @param messages the conversation, in the form of the chat API: {@code role}, {@code content}, {@code tool_calls}...
     * @param tools descriptions (JSON schemas) of functions to call; default none, which templates see as {@code none}
     * @param documents texts to answer from; default none, which templates see as {@code none}
     * @param addGenerationPrompt whether to end with the beginning of an answer; default false
     * @param continueFinalMessage whether to end with the last message, left open; default false; not together with
     *     {@code addGenerationPrompt}
     * @param bosToken the variable {@code bos_token}; default none, which templates see as undefined
     * @param eosToken the variable {@code eos_token}; default none, which templates see as undefined
     * @param variables whatever else the template reads, such as {@code enable_thinking}; default none
     * @param clock tells {@code strftime_now} date and time; default the system's, in its zone
     */
    public record Input(
            List<Map<String, Object>> messages,
            Optional<List<Object>> tools,
            Optional<List<Object>> documents,
            boolean addGenerationPrompt,
            boolean continueFinalMessage,
            Optional<String> bosToken,
            Optional<String> eosToken,
            Map<String, Object> variables,
            Clock clock) {

        private static final Set<String> RESERVED = Set.of("messages", "tools", "documents", "add_generation_prompt");

        public Input {
            messages = List.copyOf(messages);
            tools = tools.map(List::copyOf);
            documents = documents.map(List::copyOf);
            variables = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(variables));
            for (String name : RESERVED) {
                if (variables.containsKey(name)) {
                    throw new IllegalArgumentException(
                            "variables must not hold '" + name + "'; it has a parameter of its own");
                }
            }
            if (addGenerationPrompt && continueFinalMessage) {
                throw new IllegalArgumentException(
                        "addGenerationPrompt and continueFinalMessage exclude each other; choose one");
            }
        }

        /** The conversation, ending with the beginning of an answer. */
        public static Input of(List<Message> conversation) {
            return builder()
                    .conversation(conversation)
                    .addGenerationPrompt(true)
                    .build();
        }

        /** A builder with the defaults. */
        public static Builder builder() {
            return new Builder();
        }

        private Map<String, Object> context() {
            Map<String, Object> context = new LinkedHashMap<>();
            bosToken.ifPresent(token -> context.put("bos_token", token));
            eosToken.ifPresent(token -> context.put("eos_token", token));
            context.putAll(variables);
            context.put("messages", messages);
            context.put("tools", tools);
            context.put("documents", documents);
            context.put("add_generation_prompt", addGenerationPrompt);
            return context;
        }

        /** Builds an {@link Input}. <em>Not thread-safe: one thread at a time.</em> */
        public static final class Builder {

            private List<Map<String, Object>> messages = List.of();
            private Optional<List<Object>> tools = Optional.empty();
            private Optional<List<Object>> documents = Optional.empty();
            private boolean addGenerationPrompt;
            private boolean continueFinalMessage;
            private Optional<String> bosToken = Optional.empty();
            private Optional<String> eosToken = Optional.empty();
            private final Map<String, Object> variables = new LinkedHashMap<>();
            private Clock clock = Clock.system(ZoneId.systemDefault());

            private Builder() {}

            /** The conversation in the form of the chat API. */
            public Builder messages(List<Map<String, Object>> value) {
                messages = value;
                return this;
            }

            /**
             * The conversation as roles and texts, with its reasoning as {@code reasoning_content} and {@code thinking}, its
             * tool calls as {@code tool_calls}, and the call of a result as {@code tool_call_id} and {@code name}.
             *
             * @throws IllegalArgumentException if the arguments of a call are not JSON
             */
            public Builder conversation(List<Message> value) {
                messages = value.stream().map(ChatValues::of).toList();
                return this;
            }

            /**
             * Functions to call: descriptions in the form of the chat API, or {@link Tool}s.
             *
             * @throws IllegalArgumentException if the parameters of a tool are not JSON
             */
            public Builder tools(List<?> value) {
                tools = Optional.of(value.stream()
                        .map(tool -> tool instanceof Tool function ? ChatValues.of(function) : (Object) tool)
                        .toList());
                return this;
            }

            /** Texts to answer from. */
            public Builder documents(List<?> value) {
                documents = Optional.of(List.copyOf(value));
                return this;
            }

            /** Whether to end with the beginning of an answer. */
            public Builder addGenerationPrompt(boolean value) {
                addGenerationPrompt = value;
                return this;
            }

            /** Whether to end with the last message, left open. */
            public Builder continueFinalMessage(boolean value) {
                continueFinalMessage = value;
                return this;
            }

            /** The variable {@code bos_token}. */
            public Builder bosToken(String value) {
                bosToken = Optional.of(value);
                return this;
            }

            /** The variable {@code eos_token}. */
            public Builder eosToken(String value) {
                eosToken = Optional.of(value);
                return this;
            }

            /** One more variable. */
            public Builder variable(String name, Object value) {
                variables.put(name, value);
                return this;
            }

            /** More variables. */
            public Builder variables(Map<String, Object> values) {
                variables.putAll(values);
                return this;
            }

            /** Tells {@code strftime_now} date and time. */
            public Builder clock(Clock value) {
                clock = value;
                return this;
            }

            /** The input; bad values are refused here. */
            public Input build() {
                return new Input(
                        messages,
                        tools,
                        documents,
                        addGenerationPrompt,
                        continueFinalMessage,
                        bosToken,
                        eosToken,
                        variables,
                        clock);
            }
        }
    }
}
