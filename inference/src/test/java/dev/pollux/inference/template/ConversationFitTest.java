package dev.pollux.inference.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.Message;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class ConversationFitTest {

    private static final String PLAIN = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";

    /** In the manner of the first Gemmas. */
    private static final String STRICT =
            "{% if messages[0].role == 'system' %}{{ raise_exception('No system') }}{% endif %}"
                    + "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
                    + "{{ raise_exception('Roles must alternate') }}{% endif %}[{{ m.role }}]{{ m.content | trim }}{% endfor %}";

    private static final String PARTS = "{% for m in messages %}[{{ m.role }}]{% for part in m.content %}"
            + "{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endfor %}";

    private static final Message A = Message.system("a");
    private static final Message B = Message.user("b");
    private static final Message C = Message.assistant("c");
    private static final Message D = Message.user("d");

    private static String plain(ChatTemplate template, List<Map<String, Object>> messages) {
        return template.render(ChatTemplate.Input.builder()
                .messages(messages)
                .addGenerationPrompt(true)
                .build());
    }

    private static String rendered(String source, Message... conversation) {
        ChatTemplate template = ChatTemplate.parse(source);
        return ConversationFit.of(template, ConversationFitTest::plain)
                .render(
                        ChatTemplate.Input.of(List.of(conversation)).messages(),
                        messages -> template.render(ChatTemplate.Input.builder()
                                .messages(messages)
                                .addGenerationPrompt(true)
                                .build()));
    }

    @Test
    void whatTheTemplateCanDoIsLeftAsItIs() {
        assertThat(rendered(PLAIN, A, A, B, D, C, A, C, new Message("tool", "t"), new Message("critic", "x")))
                .isEqualTo("[system]a[system]a[user]b[user]d[assistant]c[system]a[assistant]c[tool]t[critic]x");
        assertThat(rendered(PLAIN, C, B)).isEqualTo("[assistant]c[user]b");
        assertThat(rendered(STRICT, B, C, D)).isEqualTo("[user]b[assistant]c[user]d");
    }

    @Test
    void instructionsThatATemplateRefusesBeginTheFirstUserMessage() {
        assertThat(rendered(STRICT, A, B)).isEqualTo("[user]a\n\nb");
        assertThat(rendered(STRICT, A, Message.system("e"), B, C, D)).isEqualTo("[user]a\n\ne\n\nb[assistant]c[user]d");
        assertThat(rendered(STRICT, A)).isEqualTo("[user]a");
        assertThat(rendered(STRICT, Message.system(""), B)).isEqualTo("[user]b");
        assertThat(rendered(STRICT, A, Message.user(""))).isEqualTo("[user]a");
    }

    @Test
    void instructionsThatATemplateDropsBeginTheFirstUserMessage() {
        String dropping = "{% for m in messages if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endfor %}";
        assertThat(rendered(dropping, A, B, C, D)).isEqualTo("[user]a\n\nb[assistant]c[user]d");
        assertThat(rendered(dropping, A, C, D)).isEqualTo("[user]a[assistant]c[user]d");
    }

    @Test
    void laterInstructionsThatATemplateDropsBeginTheNextUserMessage() {
        String first = "{% if messages[0].role == 'system' %}<{{ messages[0].content }}>{% endif %}"
                + "{% for m in messages if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endfor %}";
        assertThat(rendered(first, A, B, C, Message.system("e"), D)).isEqualTo("<a>[user]b[assistant]c[user]e\n\nd");
        assertThat(rendered(first, B, A)).isEqualTo("[user]b[user]a");
        assertThat(rendered(first, A, Message.system("e"), B)).isEqualTo("<a\n\ne>[user]b");
    }

    @Test
    void neighboursOfTheSameRoleAreJoinedWhereRolesMustAlternate() {
        assertThat(rendered(STRICT, B, D, C, C, B)).isEqualTo("[user]b\n\nd[assistant]c\n\nc[user]b");
        assertThat(rendered(STRICT, B, new Message("tool", "t"))).isEqualTo("[user]b\n\nt");
    }

    @Test
    void anAssistantThatMayNotBeginFollowsAnEmptyMessageOrTheInstructions() {
        assertThat(rendered(STRICT, C, B)).isEqualTo("[user][assistant]c[user]b");
        assertThat(rendered(STRICT, A, C, B)).isEqualTo("[user]a[assistant]c[user]b");
        String alternating = "{% set ns = namespace(turns=messages) %}{% if messages[0].role == 'system' %}"
                + "<{{ messages[0].content }}>{% set ns.turns = messages[1:] %}{% endif %}{% for m in ns.turns %}"
                + "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('No') }}{% endif %}"
                + "[{{ m.role }}]{{ m.content }}{% endfor %}";
        assertThat(rendered(alternating, A, C, B)).isEqualTo("<a>[user][assistant]c[user]b");
        assertThat(rendered(alternating, A, B, D)).isEqualTo("<a>[user]b\n\nd");
    }

    @Test
    void contentIsGivenAsPartsToTheRolesThatAreReadSo() {
        assertThat(rendered(PARTS, A, B, C, D)).isEqualTo("[system]a[user]b[assistant]c[user]d");
        String users = "{% for m in messages %}[{{ m.role }}]{% if m.role == 'user' %}{{ m.content[0].text }}{% else %}"
                + "{{ m.content.strip() }}{% endif %}{% endfor %}";
        assertThat(rendered(users, A, B, C, D)).isEqualTo("[system]a[user]b[assistant]c[user]d");
        String either = "{% for m in messages %}{{ m.content if m.content is string else '(parts)' }}{% endfor %}";
        assertThat(rendered(either, A, B)).isEqualTo("ab");
    }

    @Test
    void partsAndFoldingGoTogether() {
        String both = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('No') }}{% endif %}"
                + "[{{ m.role }}]{% for part in m.content %}{{ part.text }}{% endfor %}{% endfor %}";
        assertThat(rendered(both, A, B, C, D)).isEqualTo("[user]a\n\nb[assistant]c[user]d");
    }

    @Test
    void aDeveloperSpeaksAsSystemWhereTheTemplateDoesNotNameThatRole() {
        Message developer = new Message("developer", "e");
        assertThat(rendered(PLAIN, developer, B)).isEqualTo("[system]e[user]b");
        assertThat(rendered(PLAIN + "{# developer #}", developer, B)).isEqualTo("[developer]e[user]b");
        assertThat(rendered(STRICT, developer, B)).isEqualTo("[user]e\n\nb");
    }

    @Test
    void aConversationThatIsRefusedAllTheSameIsAskedForWithLess() {
        String moody = "{% if messages|length > 4 and messages[1].role == 'user' and messages[0].role == 'user' %}"
                + "{{ raise_exception('Too many') }}{% endif %}" + PLAIN;
        assertThat(rendered(moody, B, D, C, B, C, D)).isEqualTo("[user]b\n\nd[assistant]c[user]b[assistant]c[user]d");
    }

    @Test
    void whatTheTemplateRefusesInEveryFormIsRefusedInItsOwnWordsForTheFirst() {
        String never = "{{ raise_exception('Not ' ~ messages|length) }}";
        assertThatThrownBy(() -> rendered(never, B, D))
                .isInstanceOfSatisfying(
                        TemplateException.class,
                        e -> assertThat(e.raisedByTemplate()).isTrue())
                .hasMessage("Not 2");
    }

    @Test
    void whateverElseAMessageHoldsIsKept() {
        ChatTemplate template = ChatTemplate.parse(STRICT);
        List<Map<String, Object>> seen = new ArrayList<>();
        ConversationFit.of(template, ConversationFitTest::plain)
                .render(
                        List.of(
                                Map.of("role", "system", "content", "a"),
                                Map.of("role", "user", "content", "b", "name", "n"),
                                Map.of("role", "user", "content", List.of("part"))),
                        messages -> seen.addAll(messages));
        assertThat(seen)
                .containsExactly(
                        Map.of("role", "user", "content", "a\n\nb", "name", "n"),
                        Map.of("role", "user", "content", List.of("part")));
    }

    @Test
    void aTemplateThatLoopsIsTriedForAShortWhileAndNotMore() {
        AtomicInteger tries = new AtomicInteger();
        String endless = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}";
        ConversationFit fit = ConversationFit.of(ChatTemplate.parse(endless), (template, messages) -> {
            tries.incrementAndGet();
            return plain(template, messages);
        });
        assertThat(tries.get()).isLessThan(20);
        List<Map<String, Object>> messages =
                ChatTemplate.Input.of(List.of(A, B)).messages();
        assertThat(fit.<List<Map<String, Object>>>render(messages, given -> given))
                .isEqualTo(messages);
    }

    /** What a template renders at all, it renders whole: each message of a fitted conversation is in the text. */
    @TestFactory
    Stream<DynamicTest> everyMessageReachesTheModelWhateverTheTemplateCanDo() {
        Path templates = ReferenceData.golden("chat-templates").resolve("templates");
        return ReferenceData.cases(templates, file -> file.toString().endsWith(".jinja")).stream()
                .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file)));
    }

    private static void check(Path file) throws IOException {
        ChatTemplate template = ChatTemplate.parse(Files.readString(file));
        ConversationFit fit = ConversationFit.of(
                template,
                (probed, messages) -> probed.render(
                        tokens(ChatTemplate.Input.builder().messages(messages).addGenerationPrompt(true))
                                .build()));
        for (String roles :
                List.of("user", "system user", "system user assistant user", "assistant user", "user user")) {
            List<Message> conversation = new ArrayList<>();
            for (String role : roles.split(" ")) {
                conversation.add(new Message(role, "word" + conversation.size() + "of" + role));
            }
            String text;
            try {
                text = fit.render(
                        ChatTemplate.Input.of(conversation).messages(),
                        messages -> template.render(tokens(ChatTemplate.Input.builder()
                                        .messages(messages)
                                        .addGenerationPrompt(true))
                                .build()));
            } catch (TemplateException e) {
                assertThat(e.raisedByTemplate()).as(e.getMessage()).isFalse(); // it needs tools, or another variable
                continue;
            }
            conversation.forEach(message -> assertThat(text).contains(message.content()));
        }
    }

    private static ChatTemplate.Input.Builder tokens(ChatTemplate.Input.Builder input) {
        return input.bosToken("<s>").eosToken("</s>");
    }
}
