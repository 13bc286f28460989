package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Logs of runs. */
class TrainingLogsTest {

    @TempDir
    Path temp;

    private static TrainingStep step(long number) {
        return new TrainingStep(
                number,
                3,
                number / 3.0,
                2.5 / number,
                1,
                1e-4,
                100 * number,
                Duration.ofSeconds(number),
                Map.of("kl", 0.5));
    }

    private static int check(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        int value = (int) crc.getValue();
        return (value >>> 15 | value << 17) + 0xa282ead8;
    }

    @Test
    void eventFilesHaveCheckedRecords() throws IOException {
        Clock clock = Clock.fixed(Instant.ofEpochMilli(1_700_000_000_000L), ZoneOffset.UTC);
        Path file;
        try (TensorBoardLog log = TensorBoardLog.create(temp.resolve("runs"), clock)) {
            log.add(step(1));
            log.add(step(300));
            file = log.file();
        }
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<byte[]> events = new ArrayList<>();
        while (bytes.hasRemaining()) {
            byte[] length = new byte[8];
            bytes.get(length);
            assertThat(bytes.getInt()).isEqualTo(check(length));
            byte[] event = new byte
                    [(int) ByteBuffer.wrap(length)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong()];
            bytes.get(event);
            assertThat(bytes.getInt()).isEqualTo(check(event));
            events.add(event);
        }
        assertThat(events).hasSize(3);
        assertThat(new String(events.get(0), StandardCharsets.ISO_8859_1)).endsWith("brain.Event:2");
        ByteBuffer second = ByteBuffer.wrap(events.get(2)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(second.get()).isEqualTo((byte) 0x09);
        assertThat(second.getDouble()).isEqualTo(1.7e9);
        assertThat(List.of(second.get(), second.get(), second.get()))
                .containsExactly((byte) 0x10, (byte) 0xAC, (byte) 2);
        assertThat(new String(events.get(1), StandardCharsets.ISO_8859_1))
                .contains("train/loss", "train/kl", "train/learning_rate");
    }

    @Test
    void aPageHasNumbersCurvesAndMarkedRows() {
        TrainingReport report = new TrainingReport(
                3,
                300,
                Duration.ofSeconds(3),
                1,
                TrainingReport.Evaluation.NONE,
                TrainingReport.Evaluation.NONE,
                3,
                0,
                List.of(step(1), step(2), step(3)),
                List.of("a < b"),
                TrainedAdapter.of(
                        dev.pollux.finetune.internal.training.Trainables.NONE,
                        dev.pollux.finetune.internal.training.Residuals.NONE,
                        dev.pollux.inference.adapter.PeftConfig.DEFAULTS));
        ExplainedRow row = new ExplainedRow(
                7, List.of(new ExplainedRow.Token(1, "<s>", false), new ExplainedRow.Token(2, "yes", true)), 0);
        String page = TrainingPage.of("sft", report, List.of(row));
        assertThat(page)
                .contains("<tr><th>steps</th><td>3</td></tr>", "a &lt; b", "<figcaption>kl</figcaption>", "<polyline")
                .contains("<h3>Row 7</h3>\n<pre>&lt;s&gt;<mark>yes</mark></pre>");
    }
}
