package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Shown as {@code reasoning ⇒ answer}. */
class ChannelParserTest {

    private static final String THINK = "{{ messages[0].content.split('</think>')[-1] }}<think>";
    private static final Set<String> HARMONY = new LinkedHashSet<>(
            List.of("<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|return|>", "<|call|>", "<|constrain|>"));

    @Test
    void aModelWithoutMarkersAnswers() {
        assertThat(read("", Set.of(), "", " <think>a</think> b\n")).isEqualTo("⇒ <think>a</think> b\n");
    }

    @Test
    void tagsOfOneTokenAndOfSeveralPartReasoningFromAnswer() {
        for (Set<String> vocabulary : List.of(Set.<String>of(), Set.of("<think>", "</think>"))) {
            assertThat(read(THINK, vocabulary, "", "<think>\nhm, a < b\n\n</think>\n\n a </b> \n"))
                    .isEqualTo("hm, a < b⇒a </b> \n");
            assertThat(read(THINK, vocabulary, "", "\n<think>a</think>b")).isEqualTo("a⇒b");
            assertThat(read(THINK, vocabulary, "", "no thought")).isEqualTo("⇒no thought");
            assertThat(read(THINK, vocabulary, "", "<think></think>b")).isEqualTo("⇒b");
        }
        assertThat(read("", Set.of("<think>", "</think>"), "", "<think>a</think>b"))
                .isEqualTo("a⇒b");
    }

    @Test
    void aTemplateMayOpenTheReasoningOrCloseIt() {
        assertThat(read(THINK, Set.of(), "<|assistant|><think>\n", "a\n</think>\nb"))
                .isEqualTo("a⇒b");
        assertThat(read(THINK, Set.of(), "<think>\n", "<think>\na</think>b")).isEqualTo("a⇒b");
        assertThat(read(THINK, Set.of(), "<think>\n\n</think>\n\n", "b")).isEqualTo("⇒b");
        assertThat(read(THINK, Set.of(), "assistant\n", "b")).isEqualTo("⇒b");
    }

    @Test
    void reasoningThatDoesNotEndHasNoAnswer() {
        assertThat(read(THINK, Set.of(), "<think>\n", "a </thin")).isEqualTo("a </thin⇒");
        assertThat(read(THINK, Set.of(), "", "<think>a\n")).isEqualTo("a⇒");
    }

    @Test
    void aTagInTheMiddleOfAnAnswerIsTextUnlessItIsAToken() {
        assertThat(read(THINK, Set.of(), "", "Write <think>x</think>.")).isEqualTo("⇒Write <think>x</think>.");
        assertThat(read(THINK, Set.of("<think>", "</think>"), "", "One. <think>x</think> Two."))
                .isEqualTo("x⇒One.  Two.");
    }

    @Test
    void otherPairsAreReadAsTheTemplateNamesThem() {
        assertThat(read("[THINK][/THINK]", Set.of("[THINK]", "[/THINK]"), "", "[THINK]a[/THINK]b"))
                .isEqualTo("a⇒b");
        assertThat(read("<seed:think>", Set.of(), "", "<seed:think>a</seed:think>b"))
                .isEqualTo("a⇒b");
        assertThat(read(
                        "<think></think><response></response>",
                        Set.of(),
                        "",
                        "<think>a</think>\n<response>b</response>"))
                .isEqualTo("a⇒b");
        assertThat(read(
                        "<|START_THINKING|>",
                        Set.of("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),
                        "",
                        "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>"))
                .isEqualTo("a⇒b");
        assertThat(read("", Set.of("<|channel>", "<channel|>"), "", "<|channel>thought\na\n<channel|>b"))
                .isEqualTo("a⇒b");
        assertThat(read("<unused94>", Set.of("<unused94>", "<unused95>"), "", "<unused94>thought\na<unused95>b"))
                .isEqualTo("a⇒b");
        assertThat(read(
                        "[BEGIN FINAL RESPONSE]",
                        Set.of(),
                        "<|assistant|>\nHere are my reasoning steps:\n",
                        "a\n[BEGIN FINAL RESPONSE]\nb\n[END FINAL RESPONSE]"))
                .isEqualTo("a⇒b\n");
    }

    @Test
    void harmonysFinalChannelIsTheAnswer() {
        String text =
                "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Paris<|return|>";
        assertThat(read("", HARMONY, "<|start|>assistant", text)).isEqualTo("Hm.⇒Paris");
        assertThat(read("", HARMONY, "", text)).isEqualTo("Hm.⇒Paris");
        assertThat(read("", HARMONY, "<|start|>assistant", "<|channel|>analysis<|message|>Hm"))
                .isEqualTo("Hm⇒");
        assertThat(read("", HARMONY, "<|start|>assistant<|channel|>final<|message|>", "Paris"))
                .isEqualTo("⇒Paris");
        assertThat(read(
                        "",
                        HARMONY,
                        "<|start|>assistant",
                        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary to=functions.f"
                                + " <|constrain|>json<|message|>{}<|end|><|start|>assistant<|message|>b"))
                .isEqualTo("a\n\n{}⇒b");
    }

    @Test
    void aModelThatWritesNoHeaderAnswersAllTheSame() {
        assertThat(read("", HARMONY, "<|start|>assistant", "Paris")).isEqualTo("⇒Paris");
        String longer = "Paris is a city. ".repeat(30);
        assertThat(read("", HARMONY, "<|start|>assistant", longer)).isEqualTo("⇒" + longer);
    }

    @Test
    void thinkAndContentAreMessages() {
        Set<String> vocabulary = new LinkedHashSet<>(List.of("<|begin|>", "<|think|>", "<|content|>", "<|end|>"));
        assertThat(read(
                        "<|think|><|content|>",
                        vocabulary,
                        "<|begin|>assistant",
                        "<|think|>a<|end|><|begin|>assistant<|content|>b"))
                .isEqualTo("a⇒b");
        assertThat(read(
                        "<|think|><|content|>",
                        vocabulary,
                        "<|begin|>assistant<|think|><|end|><|begin|>assistant",
                        "<|content|>b"))
                .isEqualTo("⇒b");
    }

    /** What a model writes, by single characters, with the tokens of {@code vocabulary} as tokens. */
    private static String read(String template, Set<String> vocabulary, String prompt, String written) {
        try (Tokenizer tokenizer = tokenizer(vocabulary)) {
            ChannelParser parser = ChannelFormat.of(template, tokenizer).after(prompt, true);
            List<Delta.Text> deltas = new ArrayList<>();
            Pattern tokens = Pattern.compile(
                    vocabulary.stream()
                                    .map(Pattern::quote)
                                    .map(token -> token + "|")
                                    .collect(Collectors.joining()) + "(?s:.)");
            Matcher each = tokens.matcher(written);
            while (each.find()) {
                var id = vocabulary.contains(each.group())
                        ? tokenizer.idOf(each.group()).getAsInt()
                        : -1;
                parser.marker(id)
                        .ifPresentOrElse(
                                marker -> deltas.addAll(parser.push(marker)),
                                () -> deltas.addAll(parser.push(each.group())));
            }
            deltas.addAll(parser.end());
            return joined(deltas, Channel.REASONING) + "⇒" + joined(deltas, Channel.ANSWER);
        }
    }

    private static String joined(List<Delta.Text> deltas, Channel channel) {
        return deltas.stream()
                .filter(delta -> delta.channel() == channel)
                .map(Delta.Text::text)
                .collect(Collectors.joining());
    }

    private static Tokenizer tokenizer(Set<String> vocabulary) {
        ObjectNode root = new ObjectNode();
        root.put("version", "1.0");
        ArrayNode added = root.putArray("added_tokens");
        ObjectNode words = root.putObject("model")
                .put("type", "WordLevel")
                .put("unk_token", "a")
                .putObject("vocab");
        words.put("a", 0);
        for (String token : vocabulary) {
            words.put(token, words.size());
            added.addObject()
                    .put("id", words.size() - 1)
                    .put("content", token)
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        return Tokenizer.ofJson("test", root.toString());
    }
}
