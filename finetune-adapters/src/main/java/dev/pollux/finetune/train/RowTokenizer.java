package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.finetune.train.TrainingRow.Text;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.SpecialTokens;
import dev.pollux.inference.template.ChatTemplate;
import dev.pollux.inference.template.TemplateException;
import dev.pollux.inference.tokenizer.Encoding;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Turns rows into tokens and says which of them are trained. The caller closes it. <em>Confined to one thread.</em> */
final class RowTokenizer implements AutoCloseable {

    /*
     * Which tokens are trained:
     *
     *   completion   all tokens after those of the prompt alone, with the beginning of an answer if it is a conversation
     *   assistant    what the template marks by {% generation %}. A template without marks is rendered turn by turn: the
     *                words of a turn are what it adds to the rendering of the turns before, with the beginning of an answer.
     *
     * A span of characters goes from the token of its first character to the token of its last, as in Hugging Face's
     * apply_chat_template.
     */

    private final String source;
    private final Tokenizer tokenizer;
    private final @Nullable ChatTemplate template;
    private final SpecialTokens special;
    private final int maxLength;
    private OptionalInt padding = OptionalInt.empty(); // set once, by the factory

    RowTokenizer(String source, Tokenizer tokenizer, Optional<String> template, SpecialTokens special, int maxLength) {
        this.source = source;
        this.tokenizer = tokenizer;
        this.template = template.map(ChatTemplate::parse).orElse(null);
        this.special = special;
        this.maxLength = maxLength;
    }

    /**
     * For the tokenizer of a checkpoint.
     *
     * @throws UnsupportedModelException if it has none
     */
    static RowTokenizer of(Checkpoint checkpoint, String source, int maxLength) {
        Tokenizer tokenizer = checkpoint
                .tokenizer()
                .orElseThrow(() -> new UnsupportedModelException(
                        checkpoint.path() + " has no tokenizer; add tokenizer.json to train on texts"));
        RowTokenizer rows =
                new RowTokenizer(source, tokenizer, checkpoint.chatTemplate(), checkpoint.specialTokens(), maxLength);
        rows.padding = checkpoint.settings().ids("pad_token_id").stream()
                .mapToInt(Integer::intValue)
                .findFirst();
        return rows;
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    /** A row whose tokens are known. */
    record Tokens(int[] ids, boolean[] trained, int prompt) {

        /** The tokens up to a length. */
        Sequence cut(int length) {
            int most = Math.min(length, ids.length);
            return new Sequence(Arrays.copyOf(ids, most), Arrays.copyOf(trained, most));
        }
    }

    /** The tokens of a row for supervised fine-tuning; they may be more than the largest length. */
    Tokens supervised(TrainingRow row, TrainingOptions.Targets targets) {
        if (row.completion().isEmpty()) {
            throw refused(row, "has a prompt but no completion, so nothing can be trained");
        }
        boolean assistant = targets == TrainingOptions.Targets.ASSISTANT;
        if (assistant && !row.isConversation()) {
            throw refused(row, "is a text without turns, so no turn of an assistant can be trained");
        }
        Tokens tokens = tokens(row, row.completion(), assistant);
        if (targets == TrainingOptions.Targets.COMPLETION && row.prompt().isEmpty()) {
            throw refused(row, "has no prompt, so its completion is not known; use prompt and completion");
        }
        if (targets == TrainingOptions.Targets.ALL) {
            boolean[] all = new boolean[tokens.ids.length];
            Arrays.fill(all, true);
            return new Tokens(tokens.ids, all, tokens.prompt);
        }
        return tokens;
    }

    /** The chosen and the rejected sequence of a pair. */
    List<Tokens> pair(TrainingRow row) {
        Text rejected = row.rejected()
                .orElseThrow(() -> refused(row, "has no chosen and rejected completion, which the objective needs"));
        return List.of(tokens(row, row.completion(), false), tokens(row, rejected, false));
    }

    /** A pair as it is scored, at the last token of each that is no padding, as transformers takes it. */
    List<Tokens> scored(TrainingRow row) {
        return pair(row).stream()
                .map(one -> {
                    int[] ids = scored(one.ids);
                    boolean[] last = new boolean[ids.length];
                    last[ids.length - 1] = true;
                    return new Tokens(ids, last, Math.min(one.prompt, ids.length));
                })
                .toList();
    }

    private int[] scored(int[] ids) {
        int length = ids.length;
        while (length > 1 && padding.isPresent() && ids[length - 1] == padding.getAsInt()) {
            length--;
        }
        return Arrays.copyOf(ids, length);
    }

    /** The sequence of a prompt and a completion as it is scored. */
    int[] scored(TrainingRow row, Text completion) {
        return scored(tokens(row, completion, false).ids);
    }

    /** The sequence of an unpaired row. */
    Tokens unpaired(TrainingRow row) {
        if (row.desirable().isEmpty()) {
            throw refused(row, "has no label, which must say whether the completion is desirable");
        }
        return tokens(row, row.completion(), false);
    }

    /**
     * The tokens of a prompt, after which the model writes.
     *
     * @param answered whether the row must have answers
     */
    int[] prompt(TrainingRow row, boolean answered) {
        if (answered && row.answers().isEmpty()) {
            throw refused(row, "has no answers, which its completions are to contain");
        }
        if (row.prompt().isEmpty()) {
            throw refused(row, "has no prompt, which the objective needs");
        }
        int[] ids = row.prompt().isConversation()
                ? tokenizer.encode(render(row, row.prompt().messages(), true).text(), false)
                : tokenizer.encode(row.prompt().text(), true);
        if (ids.length >= maxLength) {
            throw refused(row, "has a prompt of " + ids.length + " tokens, which must be fewer than " + maxLength);
        }
        return ids;
    }

    private Tokens tokens(TrainingRow row, Text completion, boolean assistant) {
        boolean conversation = completion.isConversation();
        if (!row.prompt().isEmpty() && row.prompt().isConversation() != conversation) {
            throw refused(row, "has a text and a conversation as prompt and completion, which must be alike");
        }
        return conversation ? conversation(row, completion, assistant) : text(row, completion);
    }

    private Tokens text(TrainingRow row, Text completion) {
        String whole = row.prompt().text() + completion.text();
        String ended = whole.endsWith(special.eos()) ? whole : whole + special.eos();
        Encoding encoding = tokenizer.encodeWithOffsets(ended, true);
        int prompt = row.prompt().isEmpty()
                ? 0
                : promptLength(
                        encoding,
                        row.prompt().text(),
                        tokenizer.encode(row.prompt().text(), true));
        return new Tokens(encoding.ids(), from(encoding.size(), prompt), prompt);
    }

    private static boolean[] from(int length, int first) {
        boolean[] trained = new boolean[length];
        Arrays.fill(trained, Math.min(first, length), length, true);
        return trained;
    }

    /** The tokens of the prompt, or those that begin in it if the completion changes its last ones. */
    private static int promptLength(Encoding whole, String prompt, int[] alone) {
        if (alone.length <= whole.size() && Arrays.equals(alone, Arrays.copyOf(whole.ids(), alone.length))) {
            return alone.length;
        }
        int characters = prompt.codePointCount(0, prompt.length());
        int count = 0;
        while (count < whole.size() && (whole.sequences()[count] < 0 || whole.starts()[count] < characters)) {
            count++;
        }
        return count;
    }

    // Conversations

    private Tokens conversation(TrainingRow row, Text completion, boolean assistant) {
        List<Map<String, Object>> all = new ArrayList<>(row.prompt().messages());
        all.addAll(completion.messages());
        ChatTemplate.Rendering rendering = render(row, all, false);
        Encoding encoding = tokenizer.encodeWithOffsets(rendering.text(), false);
        int prompt = 0;
        if (!row.prompt().isEmpty()) {
            String before = render(row, row.prompt().messages(), true).text();
            prompt = promptLength(encoding, before, tokenizer.encode(before, false));
        }
        boolean[] trained = from(encoding.size(), prompt);
        if (assistant) {
            boolean[] turns = new boolean[encoding.size()];
            for (ChatTemplate.Span span : turns(row, all, rendering)) {
                mark(turns, encoding, rendering.text(), span);
            }
            for (int i = 0; i < trained.length; i++) {
                trained[i] &= turns[i];
            }
        }
        return new Tokens(encoding.ids(), trained, prompt);
    }

    private ChatTemplate.Rendering render(
            TrainingRow row, List<Map<String, Object>> messages, boolean addGenerationPrompt) {
        ChatTemplate chat = template;
        if (chat == null) {
            throw refused(row, "is a conversation, and the model has no chat template; use texts");
        }
        try {
            return chat.renderWithSpans(ChatTemplate.Input.builder()
                    .messages(messages)
                    .addGenerationPrompt(addGenerationPrompt)
                    .bosToken(special.bos())
                    .eosToken(special.eos())
                    .build());
        } catch (TemplateException e) {
            throw new MalformedFileException(
                    source + ": the chat template refuses row " + row.number() + ": " + e.getMessage()
                            + "; correct or remove the row",
                    e);
        }
    }

    private List<ChatTemplate.Span> turns(
            TrainingRow row, List<Map<String, Object>> messages, ChatTemplate.Rendering whole) {
        if (!whole.generations().isEmpty()
                || template != null && template.source().contains("generation %")) {
            return whole.generations();
        }
        List<ChatTemplate.Span> spans = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            if ("assistant".equals(messages.get(i).get("role"))) {
                String before =
                        i == 0 ? "" : render(row, messages.subList(0, i), true).text();
                String after = render(row, messages.subList(0, i + 1), false).text();
                if (!after.startsWith(before) || !whole.text().startsWith(after)) {
                    throw refused(
                            row,
                            "has a turn of the assistant that the chat template renders differently in the whole"
                                    + " conversation; train the completion instead, or add {% generation %} to the template");
                }
                spans.add(new ChatTemplate.Span(before.length(), after.length()));
            }
        }
        return spans;
    }

    private static void mark(boolean[] marks, Encoding encoding, String text, ChatTemplate.Span span) {
        if (span.begin() >= span.end()) {
            return;
        }
        int first = tokenAt(encoding, text.codePointCount(0, span.begin()));
        int last = tokenAt(encoding, text.codePointCount(0, span.end()) - 1);
        if (first >= 0) {
            Arrays.fill(marks, first, last < 0 ? marks.length : Math.max(first, last + 1), true);
        }
    }

    /** The first token that covers a code point; −1 if none does. */
    private static int tokenAt(Encoding encoding, int character) {
        for (int i = 0; i < encoding.size(); i++) {
            if (encoding.sequences()[i] >= 0 && encoding.starts()[i] <= character && character < encoding.ends()[i]) {
                return i;
            }
        }
        return -1;
    }

    // Checks

    /**
     * The sequence of a row, cut at the largest length; empty if none of its trained tokens is left then.
     *
     * @param whole whether it is not cut
     */
    Optional<Sequence> fitted(TrainingRow row, Tokens tokens, boolean whole) {
        if (new Sequence(tokens.ids, tokens.trained).targets() == 0) {
            throw refused(row, "has no token to train");
        }
        Sequence cut = tokens.cut(whole ? Integer.MAX_VALUE : maxLength);
        return cut.targets() == 0 ? Optional.empty() : Optional.of(cut);
    }

    private MalformedFileException refused(TrainingRow row, String why) {
        return new MalformedFileException(source + ": row " + row.number() + " " + why + "; correct or remove the row");
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
