package dev.pollux.documents;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.source.DocumentSink;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are made to exhaust memory: each is read in a JVM with a small heap, to the end of the folder. */
class HostileFilesTest {

    private static final String BLANKS = " ".repeat(1 << 20);

    @TempDir
    Path folder;

    @Test
    void everyReferenceFileIsReadOrSkippedWith512MiB() throws IOException, InterruptedException {
        String said = inSmallJvm(ReferenceData.golden("documents"), "-Xmx512m");

        assertThat(said).endsWith("end\n").doesNotContain("more memory");
    }

    @Test
    void bombsOfEveryArchiveFormatAreSkippedWith64MiB() throws IOException, InterruptedException {
        bomb(
                "bomb.docx",
                "word/document.xml",
                "<w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>",
                "</w:t></w:r></w:p></w:body></w:document>");
        bomb("bomb.odt", "content.xml", "<a xmlns:text=\"t\"><text:p>", "</text:p></a>");
        bomb("bomb.xlsx", "xl/workbook.xml", "<workbook><!--", "--></workbook>");
        bomb("bomb.pptx", "ppt/presentation.xml", "<presentation a=\"", "\"/>");
        bomb("bomb.epub", "META-INF/container.xml", "<container><!--", "--></container>");
        Files.writeString(folder.resolve("last.html"), "<p>The last file is read, too.</p>");

        String said = inSmallJvm(folder, "-Xmx64m");

        assertThat(said)
                .contains(
                        "bomb.docx has an entry packed more than 100 : 1, as files that are meant to exhaust memory have")
                .contains("bomb.odt has an entry packed more than 100 : 1")
                .contains("bomb.xlsx has an entry packed more than 100 : 1")
                .contains("bomb.pptx has an entry packed more than 100 : 1")
                .contains("bomb.epub has an entry packed more than 100 : 1")
                .contains("read last.html")
                .endsWith("end\n");
    }

    private void bomb(String name, String entry, String head, String tail) throws IOException {
        try (OutputStream file = Files.newOutputStream(folder.resolve(name));
                ZipOutputStream zip = new ZipOutputStream(file)) {
            zip.putNextEntry(new ZipEntry(entry));
            zip.write(head.getBytes(UTF_8));
            for (int i = 0; i < 200; i++) {
                zip.write(BLANKS.getBytes(UTF_8));
            }
            zip.write(tail.getBytes(UTF_8));
            zip.closeEntry();
        }
    }

    private static String inSmallJvm(Path documents, String heap) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        heap,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Reading.class.getName(),
                        documents.toString()))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
        return said.replace(System.lineSeparator(), "\n");
    }

    /** Reads a folder and prints what became of each file. */
    static final class Reading implements DocumentSink {

        public static void main(String[] arguments) {
            DocumentSource.folder(Path.of(arguments[0])).read(new Reading());
            System.out.println("end");
        }

        @Override
        public void expect(long count) {}

        @Override
        public void document(Document document) {
            System.out.println("read " + document.id());
        }

        @Override
        public void skipped(String id, String reason) {
            System.out.println(id + " " + reason);
        }

        @Override
        public void unread(String id, String kind, String reason) {
            System.out.println(id + " " + reason);
        }

        @Override
        public void notice(String id, String message) {}
    }
}
