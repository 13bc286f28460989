package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Conversations made fit for what a chat template can do, which is found by rendering small ones.
 *
 * <table>
 * <caption>What is done</caption>
 * <tr><th>the template</th><th>so</th></tr>
 * <tr><td>refuses or drops {@code system}, at the beginning or later</td><td>the instructions begin the next user message,
 *     followed by a blank line; where none follows they are one</td></tr>
 * <tr><td>does not name {@code developer}, refuses or drops it</td><td>it becomes {@code system}</td></tr>
 * <tr><td>refuses or drops another role, such as {@code tool}</td><td>it becomes {@code user}</td></tr>
 * <tr><td>refuses or drops one of two neighbours of the same role</td><td>they are joined by a blank line, unless one of
 *     them calls tools</td></tr>
 * <tr><td>refuses or drops an assistant that begins</td><td>an empty user message comes before it</td></tr>
 * <tr><td>does not show a role's content as a string, but as a list of parts</td><td>it is given as
 *     {@code [{"type": "text", "text": …}]}</td></tr>
 * </table>
 *
 * <p>What the template can do is left as it is. <em>Thread-safe.</em>
 */
public final class ConversationFit {

    /*
     * The idea is that of llama.cpp's common/jinja/caps.cpp: conversations of one unlikely word a message are rendered, and an
     * ability is there where the rendering succeeds and shows all of these words. llama.cpp counts what the template reads of
     * each value; a word in the text also tells what was read but not written. Probes run under small limits, so that a
     * template that loops costs little.
     *
     * Templates look at more than a pair of messages, so an ability may fail in a longer conversation. A conversation that is
     * refused is therefore rendered again with system alone taken for granted, and then with nothing.
     */
    private static final TemplateLimits PROBE = TemplateLimits.builder()
            .maxSteps(200_000)
            .maxAllocation(1 << 21)
            .maxOutput(1 << 20)
            .build();

    private static final String SYSTEM = "system";
    private static final String DEVELOPER = "developer";
    private static final String USER = "user";
    private static final String ASSISTANT = "assistant";
    private static final Set<String> TURNS = Set.of(SYSTEM, USER, ASSISTANT);
    private static final String TOOL = "tool";
    private static final String ROLE = "role";
    private static final String CONTENT = "content";
    private static final String CALLS = "tool_calls";

    /**
     * What a template can do.
     *
     * @param systemFirst whether it shows instructions at the beginning
     * @param systemLater whether it shows instructions elsewhere
     * @param assistantFirst whether an assistant may begin
     * @param repeated the roles of which two may follow each other
     * @param roles the roles that it shows beside system, user and assistant
     */
    private record Abilities(
            boolean systemFirst,
            boolean systemLater,
            boolean assistantFirst,
            Set<String> repeated,
            Function<String, Boolean> roles) {

        static final Abilities ALL = new Abilities(true, true, true, TURNS, role -> true);

        static Abilities least(boolean systemFirst) {
            return new Abilities(systemFirst, false, false, Set.of(), role -> false);
        }
    }

    private final Function<List<Map<String, Object>>, String> probe;
    private final Set<String> inParts = new HashSet<>();
    private final Abilities abilities;

    private ConversationFit(String source, Function<List<Map<String, Object>>, String> probe) {
        this.probe = probe;
        findForm(0, USER);
        findForm(1, USER, ASSISTANT, USER);
        findForm(0, SYSTEM, USER);
        this.abilities = shows(USER) ? abilities(source) : Abilities.ALL;
    }

    /**
     * What {@code template} can do.
     *
     * @param render messages as the text that a template makes of them, which may throw {@link TemplateException}
     */
    public static ConversationFit of(
            ChatTemplate template, BiFunction<ChatTemplate, List<Map<String, Object>>, String> render) {
        ChatTemplate probed = ChatTemplate.parse(template.source(), PROBE);
        return new ConversationFit(template.source(), messages -> render.apply(probed, messages));
    }

    private Abilities abilities(String source) {
        Set<String> repeated = new HashSet<>();
        if (shows(USER, USER)) {
            repeated.add(USER);
        }
        if (shows(USER, ASSISTANT, ASSISTANT, USER)) {
            repeated.add(ASSISTANT);
        }
        if (shows(SYSTEM, SYSTEM, USER)) {
            repeated.add(SYSTEM);
        }
        boolean developer = source.contains(DEVELOPER) && shows(DEVELOPER, USER);
        boolean tool = shows(USER, ASSISTANT, TOOL);
        return new Abilities(
                shows(SYSTEM, USER),
                shows(USER, ASSISTANT, SYSTEM, USER),
                shows(ASSISTANT, USER),
                Set.copyOf(repeated),
                role -> role.equals(DEVELOPER) ? developer : role.equals(TOOL) ? tool : shows(USER, ASSISTANT, role));
    }

    /** Whether the message at {@code index} is shown as a string, or else as parts. */
    private void findForm(int index, String... roles) {
        if (!shows(index, roles)) {
            inParts.add(roles[index]);
            if (!shows(index, roles)) {
                inParts.remove(roles[index]);
            }
        }
    }

    private boolean shows(int index, String... roles) {
        return rendered(roles).contains(word(index));
    }

    private boolean shows(String... roles) {
        String text = rendered(roles);
        return IntStream.range(0, roles.length).allMatch(index -> text.contains(word(index)));
    }

    private static String word(int index) {
        return "qzx" + index + "jvk";
    }

    private String rendered(String... roles) {
        List<Map<String, Object>> messages = IntStream.range(0, roles.length)
                .mapToObj(index -> message(roles[index], word(index)))
                .toList();
        try {
            return probe.apply(inForm(messages)).toLowerCase(Locale.ROOT);
        } catch (TemplateException e) {
            return "";
        }
    }

    /**
     * What {@code render} makes of the conversation, made fit; where it throws, of one that asks less of the template.
     *
     * @param conversation messages in the form of the chat API; whatever else they hold than role and content is kept
     * @throws TemplateException the first that {@code render} threw, where it never succeeds
     */
    public <R> R render(List<Map<String, Object>> conversation, Function<List<Map<String, Object>>, R> render) {
        Set<List<Map<String, Object>>> forms = new LinkedHashSet<>();
        forms.add(fitted(conversation, abilities));
        forms.add(fitted(conversation, Abilities.least(abilities.systemFirst())));
        forms.add(fitted(conversation, Abilities.least(false)));
        List<TemplateException> failures = new ArrayList<>();
        for (List<Map<String, Object>> form : forms) {
            try {
                return render.apply(inForm(form));
            } catch (TemplateException e) {
                failures.add(e);
            }
        }
        throw failures.get(0);
    }

    private static List<Map<String, Object>> fitted(List<Map<String, Object>> conversation, Abilities abilities) {
        List<Map<String, Object>> named = conversation.stream()
                .map(message -> with(message, ROLE, role(role(message), abilities)))
                .toList();
        return begun(merged(folded(named, abilities), abilities), abilities);
    }

    private static String role(String role, Abilities abilities) {
        if (TURNS.contains(role) || abilities.roles().apply(role)) {
            return role;
        }
        return role.equals(DEVELOPER) ? SYSTEM : USER;
    }

    /** Instructions that the template does not show go into the next user message. */
    private static List<Map<String, Object>> folded(List<Map<String, Object>> messages, Abilities abilities) {
        List<Map<String, Object>> folded = new ArrayList<>();
        boolean later = false;
        String pending = "";
        for (Map<String, Object> message : messages) {
            boolean system = role(message).equals(SYSTEM);
            later |= !system;
            boolean shown = later ? abilities.systemLater() : abilities.systemFirst();
            if (system && !shown && message.get(CONTENT) instanceof String text) {
                pending = joined(pending, text);
            } else if (role(message).equals(USER) && message.get(CONTENT) instanceof String text) {
                folded.add(with(message, CONTENT, joined(pending, text)));
                pending = "";
            } else {
                if (!pending.isEmpty()) {
                    folded.add(message(USER, pending));
                    pending = "";
                }
                folded.add(message);
            }
        }
        if (!pending.isEmpty() || folded.isEmpty()) {
            folded.add(message(USER, pending));
        }
        return folded;
    }

    private static List<Map<String, Object>> merged(List<Map<String, Object>> messages, Abilities abilities) {
        List<Map<String, Object>> merged = new ArrayList<>();
        for (Map<String, Object> message : messages) {
            String role = role(message);
            Map<String, Object> last = merged.isEmpty() ? Map.of() : merged.get(merged.size() - 1);
            if (TURNS.contains(role)
                    && !abilities.repeated().contains(role)
                    && role.equals(last.get(ROLE))
                    && !last.containsKey(CALLS)
                    && !message.containsKey(CALLS)
                    && last.get(CONTENT) instanceof String first
                    && message.get(CONTENT) instanceof String second) {
                merged.set(merged.size() - 1, with(last, CONTENT, joined(first, second)));
            } else {
                merged.add(message);
            }
        }
        return merged;
    }

    private static List<Map<String, Object>> begun(List<Map<String, Object>> messages, Abilities abilities) {
        List<Map<String, Object>> begun = new ArrayList<>(messages);
        int first = 0;
        while (first < begun.size() && role(begun.get(first)).equals(SYSTEM)) {
            first++;
        }
        if (!abilities.assistantFirst()
                && first < begun.size()
                && role(begun.get(first)).equals(ASSISTANT)) {
            begun.add(first, message(USER, ""));
        }
        return begun;
    }

    private static String joined(String first, String second) {
        boolean both = !first.isBlank() && !second.isBlank();
        return both ? first + "\n\n" + second : first.isBlank() ? second : first;
    }

    private List<Map<String, Object>> inForm(List<Map<String, Object>> messages) {
        return messages.stream()
                .map(message -> inParts.contains(role(message)) && message.get(CONTENT) instanceof String text
                        ? with(message, CONTENT, List.of(Map.of("type", "text", "text", text)))
                        : message)
                .toList();
    }

    private static String role(Map<String, Object> message) {
        return String.valueOf(message.get(ROLE));
    }

    private static Map<String, Object> message(String role, String content) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put(ROLE, role);
        message.put(CONTENT, content);
        return message;
    }

    private static Map<String, Object> with(Map<String, Object> message, String key, Object value) {
        Map<String, Object> changed = new LinkedHashMap<>(message);
        changed.put(key, value);
        return changed;
    }
}
