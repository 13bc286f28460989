package dev.pollux.inference.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.job.JobEvent;
import dev.pollux.quantization.CalibrationData;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NoLeaks
class CalibrationWindowsTest {

    private static final String TEMPLATE = "{% for m in messages %}[{{ m.role }}]{{ m.content }}[end]{% endfor %}";

    @TempDir
    Path temp;

    private Path model = Path.of("");

    @BeforeEach
    void write() {
        model = TinyDecoder.llama(3).write(temp.resolve("model"));
    }

    private List<int[]> windows(CalibrationData data) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return CalibrationWindows.of(checkpoint, data, JobContext.NONE);
        }
    }

    private String text(List<int[]> windows) {
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Tokenizer tokenizer = checkpoint.tokenizer().orElseThrow()) {
            return windows.stream().map(ids -> tokenizer.decode(ids, true)).collect(Collectors.joining());
        }
    }

    /** Words that occur once. */
    private static String words(int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> "w" + i).collect(Collectors.joining(" ")) + " ";
    }

    @Test
    void textsBecomeWindowsWithoutGapsOrPadding() {
        List<String> texts = List.of(words(0, 30), words(30, 60));
        List<int[]> windows = windows(CalibrationData.of(texts).withWindows(100, 32));
        assertThat(windows).allSatisfy(window -> assertThat(window).hasSize(32));
        String whole = String.join("", texts);
        assertThat(whole).startsWith(text(windows));
        assertThat(whole.length() - text(windows).length()).isLessThan(32);
    }

    @Test
    void theSeedDrawsSomeOfManyWindows() {
        CalibrationData data = CalibrationData.of(List.of(words(0, 400))).withWindows(5, 32);
        List<int[]> windows = windows(data);
        assertThat(windows).hasSize(5);
        assertThat(windows(data)).usingRecursiveComparison().isEqualTo(windows);
        assertThat(text(windows(data.withSeed(1)))).isNotEqualTo(text(windows));
    }

    @Test
    void ofManyTextsSomeAreDrawn() {
        List<String> texts = IntStream.range(0, 300)
                .mapToObj(i -> words(100 * i, 100 * i + 20))
                .toList();
        List<int[]> windows = windows(CalibrationData.of(texts).withWindows(2, 16));
        assertThat(windows).hasSize(2);
        assertThat(text(windows(CalibrationData.of(texts).withWindows(2, 16).withSeed(9))))
                .isNotEqualTo(text(windows));
    }

    @Test
    void aModelWithAChatTemplateReadsConversations() throws IOException {
        Files.writeString(model.resolve("chat_template.jinja"), TEMPLATE);
        CalibrationData data = CalibrationData.of(List.of(words(0, 60))).withWindows(100, 64);
        String text = text(windows(data));
        assertThat(text).startsWith("[user]w0 w1 ").contains("[end][assistant]w");
        assertThat(text.replaceAll("\\[(user|assistant)]|\\[end]", " ")).contains(" w20 ", " w40 ");
        assertThat(text(windows(data.withChat(false)))).startsWith("w0 w1 ").doesNotContain("[user]");
    }

    @Test
    void aTemplateThatFailsIsLeftOutWithANotice() throws IOException {
        Files.writeString(model.resolve("chat_template.jinja"), "{{ raise_exception('no') }}");
        CalibrationData data = CalibrationData.of(List.of(words(0, 60))).withWindows(100, 64);
        assertThat(text(windows(data))).startsWith("w0 w1 ");
        List<String> notices = new ArrayList<>();
        Job.of("windows", context -> {
                    try (Checkpoint checkpoint = Checkpoint.open(model)) {
                        return CalibrationWindows.of(checkpoint, data, context).size();
                    }
                })
                .onEvent(event -> {
                    if (event instanceof JobEvent.Notice notice) {
                        notices.add(notice.message());
                    }
                })
                .run();
        assertThat(notices)
                .containsExactly("The chat template of " + model
                        + " fails, so the calibration texts are read as they are, not as conversations: no");
    }

    @Test
    void theContextOfTheModelLimitsAWindow() {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            int context = checkpoint.config().contextLength();
            assertThat(windows(CalibrationData.of(List.of(words(0, 2000))).withWindows(2, 65_536)))
                    .allSatisfy(window -> assertThat(window).hasSize(context));
        }
    }

    @Test
    void tooFewTokensAndAMissingTokenizerAreRefused() throws IOException {
        assertThatThrownBy(() -> windows(CalibrationData.of(List.of("a b")).withWindows(1, 16)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "The calibration texts have 3 tokens, fewer than one window of 16; give longer texts, or choose"
                                + " shorter windows");
        Files.delete(model.resolve("tokenizer.json"));
        assertThatThrownBy(() -> windows(CalibrationData.of(List.of(words(0, 60)))))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(model + " has no tokenizer, so it reads no text; add tokenizer.json to it");
    }
}
