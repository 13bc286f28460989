package dev.pollux.inference.calibration;

import dev.pollux.UnsupportedModelException;
import dev.pollux.generation.Message;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.SpecialTokens;
import dev.pollux.inference.template.ChatTemplate;
import dev.pollux.inference.template.ConversationFit;
import dev.pollux.inference.template.TemplateException;
import dev.pollux.inference.tokenizer.PromptTokenizer;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.CalibrationData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/** Calibration texts as windows of tokens of one length. <em>Immutable.</em> */
public final class CalibrationWindows {

    /*
     * Texts become one stream of tokens without padding, which is cut into windows; a rest is left out. Of more windows than wanted,
     * some are drawn with the seed. Texts that are much longer than needed are not tokenized to the end: whole texts are drawn first.
     *
     * A model with a chat template reads conversations: passages of a text are by turns the words of a user and of the assistant, and
     * two make a conversation, so that the template's own tokens are among the inputs as often as in use.
     */

    private static final int CHARACTERS = 4; // of a token, about
    private static final int SURPLUS = 8; // times as many windows as wanted are tokenized

    private final CalibrationData data;
    private final Tokenizer tokenizer;
    private final Optional<Chat> chat;

    private record Chat(ChatTemplate template, ConversationFit fit, PromptTokenizer prompts, SpecialTokens special) {

        /** @throws TemplateException if the template cannot be parsed or does not show a user's words */
        static Chat of(String source, Tokenizer tokenizer, SpecialTokens special) {
            ChatTemplate template = ChatTemplate.parse(source);
            ConversationFit fit = ConversationFit.of(
                    template,
                    (probed, messages) -> rendered(probed, messages, special).text());
            Chat made = new Chat(template, fit, PromptTokenizer.of(tokenizer, source, List.of()), special);
            try {
                made.render(List.of(Message.user("Hello"), Message.assistant("Hello")));
                return made;
            } catch (TemplateException e) {
                made.prompts().close();
                throw e;
            }
        }

        ChatTemplate.Rendering render(List<Message> conversation) {
            return fit.render(
                    ChatTemplate.Input.of(conversation).messages(), fitted -> rendered(template, fitted, special));
        }

        private static ChatTemplate.Rendering rendered(
                ChatTemplate template, List<Map<String, Object>> messages, SpecialTokens special) {
            return template.renderWithSpans(ChatTemplate.Input.builder()
                    .messages(messages)
                    .bosToken(special.bos())
                    .eosToken(special.eos())
                    .build());
        }

        int[] tokens(List<Message> conversation) {
            ChatTemplate.Rendering rendering = render(conversation);
            BitSet literal = new BitSet();
            rendering.inputs().forEach(span -> literal.set(span.begin(), span.end()));
            return prompts.encode(rendering.text(), literal, false);
        }
    }

    private CalibrationWindows(CalibrationData data, Tokenizer tokenizer, Optional<Chat> chat) {
        this.data = data;
        this.tokenizer = tokenizer;
        this.chat = chat;
    }

    /**
     * The windows in which a checkpoint reads texts.
     *
     * @param context receives a notice if the chat template fails; the texts are then read as they are
     * @return token ids, at least one window and at most {@link CalibrationData#windows}, of {@link CalibrationData#windowLength}
     *     tokens each, or of the context of the model if that is shorter
     * @throws UnsupportedModelException if the checkpoint has no tokenizer
     * @throws IllegalArgumentException if the texts have fewer tokens than one window
     */
    public static List<int[]> of(Checkpoint checkpoint, CalibrationData data, JobContext context) {
        int length = Math.min(data.windowLength(), checkpoint.config().contextLength());
        try (Tokenizer tokenizer = checkpoint
                .tokenizer()
                .orElseThrow(() -> new UnsupportedModelException(
                        checkpoint.path() + " has no tokenizer, so it reads no text; add tokenizer.json to it"))) {
            Optional<Chat> chat = checkpoint
                    .chatTemplate()
                    .filter(template -> data.chat())
                    .flatMap(template -> chat(checkpoint, template, tokenizer, context));
            try {
                return new CalibrationWindows(data, tokenizer, chat).windows(length);
            } finally {
                chat.ifPresent(one -> one.prompts().close());
            }
        }
    }

    private static Optional<Chat> chat(
            Checkpoint checkpoint, String template, Tokenizer tokenizer, JobContext context) {
        try {
            return Optional.of(Chat.of(template, tokenizer, checkpoint.specialTokens()));
        } catch (TemplateException e) {
            context.notice("The chat template of " + checkpoint.path()
                    + " fails, so the calibration texts are read as they are, not as conversations: " + e.getMessage());
            return Optional.empty();
        }
    }

    private List<int[]> windows(int length) {
        Random random = new Random(data.seed());
        int[] stream = stream(length, random);
        int count = stream.length / length;
        if (count == 0) {
            throw new IllegalArgumentException("The calibration texts have " + stream.length
                    + " tokens, fewer than one window of " + length + "; give longer texts, or choose shorter windows");
        }
        List<Integer> all = new ArrayList<>(IntStream.range(0, count).boxed().toList());
        Collections.shuffle(all, random);
        return all.stream()
                .limit(data.windows())
                .sorted()
                .map(index -> Arrays.copyOfRange(stream, index * length, (index + 1) * length))
                .toList();
    }

    /** The tokens of enough texts, one after the other. */
    private int[] stream(int length, Random random) {
        long enough = (long) CHARACTERS * SURPLUS * data.windows() * length;
        List<String> texts = new ArrayList<>(data.texts());
        if (texts.stream().mapToLong(String::length).sum() > enough) {
            Collections.shuffle(texts, random);
        }
        IntStream.Builder ids = IntStream.builder();
        long read = 0;
        for (String text : texts) {
            if (read < enough) {
                String some = text.substring(0, (int) Math.min(text.length(), enough - read));
                read += some.length();
                add(some, length, ids);
            }
        }
        return ids.build().toArray();
    }

    private void add(String text, int length, IntStream.Builder ids) {
        if (chat.isEmpty()) {
            Arrays.stream(tokenizer.encode(text, true)).forEach(ids::add);
            return;
        }
        List<String> passages = passages(text, length * CHARACTERS / 2);
        for (int i = 0; i + 1 < passages.size(); i += 2) {
            List<Message> conversation = List.of(Message.user(passages.get(i)), Message.assistant(passages.get(i + 1)));
            Arrays.stream(chat.get().tokens(conversation)).forEach(ids::add);
        }
        if (passages.size() % 2 == 1) {
            List<Message> last = List.of(Message.user(passages.get(passages.size() - 1)));
            Arrays.stream(chat.get().tokens(last)).forEach(ids::add);
        }
    }

    /** A text in passages of at most so many characters, cut between words where possible. */
    private static List<String> passages(String text, int most) {
        List<String> passages = new ArrayList<>();
        int from = 0;
        while (from < text.length()) {
            int to = Math.min(text.length(), from + most);
            int space = to < text.length() ? text.lastIndexOf(' ', to) : to;
            to = space > from ? space : to;
            if (to < text.length() && Character.isLowSurrogate(text.charAt(to))) {
                to++;
            }
            String passage = text.substring(from, to).strip();
            if (!passage.isEmpty()) {
                passages.add(passage);
            }
            from = to;
        }
        return passages;
    }
}
