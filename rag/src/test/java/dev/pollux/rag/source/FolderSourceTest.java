package dev.pollux.rag.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.StorageException;
import dev.pollux.retrieval.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderSourceTest {

    @TempDir
    private Path folder;

    private final Collected found = new Collected();

    @Test
    void filesAreFoundInTheOrderOfTheirIds() throws IOException {
        write("b.md", "b");
        write("a/z.TXT", "z");
        write("a/deep/er/x.markdown", "x");
        write("a.txt", "a");
        write("picture.png", "p");
        write("README", "r");
        DocumentSource.folder(folder).read(found);
        assertThat(found.documents)
                .extracting(Document::id, Document::mediaType, Document::text)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("a.txt", "text/plain", "a"),
                        org.assertj.core.groups.Tuple.tuple("a/deep/er/x.markdown", "text/markdown", "x"),
                        org.assertj.core.groups.Tuple.tuple("a/z.TXT", "text/plain", "z"),
                        org.assertj.core.groups.Tuple.tuple("b.md", "text/markdown", "b"));
        assertThat(found.expected).isEqualTo(4);
    }

    @Test
    void hiddenFilesAndFoldersAreLeftOut() throws IOException {
        write(".secret.md", "s");
        write(".git/notes.md", "n");
        write("seen.md", "s");
        DocumentSource.folder(folder).read(found);
        assertThat(found.ids()).containsExactly("seen.md");
        assertThat(found.skipped).isEmpty();
    }

    @Test
    void linksAreFollowedToFilesInsideAndNowhereElse(@TempDir Path outside) throws IOException {
        Files.writeString(outside.resolve("secret.md"), "secret");
        write("real.md", "real");
        Files.createSymbolicLink(folder.resolve("alias.md"), Path.of("real.md"));
        Files.createSymbolicLink(folder.resolve("escape.md"), outside.resolve("secret.md"));
        Files.createSymbolicLink(folder.resolve("dangling.md"), Path.of("nowhere.md"));
        Files.createSymbolicLink(folder.resolve("elsewhere"), outside);
        Files.createSymbolicLink(folder.resolve("loop"), Path.of("."));
        DocumentSource.folder(folder).read(found);
        assertThat(found.ids()).containsExactly("alias.md", "real.md");
        assertThat(found.skipped)
                .containsExactly(
                        "dangling.md cannot be read; check its permissions", "escape.md is a link out of the folder");
    }

    @Test
    void aByteOrderMarkIsNoText() throws IOException {
        write("bom.txt", "\uFEFFtext");
        DocumentSource.folder(folder).read(found);
        assertThat(found.documents.get(0).text()).isEqualTo("text");
    }

    @Test
    void whatIsNoTextIsSkippedWithItsReason() throws IOException {
        Files.write(folder.resolve("latin.txt"), new byte[] {'c', 'a', 'f', (byte) 0xE9});
        Files.write(folder.resolve("overlong.txt"), new byte[] {(byte) 0xC0, (byte) 0x80});
        Files.write(folder.resolve("wide.txt"), new byte[] {(byte) 0xFF, (byte) 0xFE, 'a', 0});
        write("nul.txt", "a\0b");
        write("large.txt", "12345");
        write("good.txt", "1234");
        FolderOptions options = FolderOptions.builder().maxFileBytes(4).build();
        DocumentSource.folder(folder, options).read(found);
        assertThat(found.ids()).containsExactly("good.txt");
        assertThat(found.skipped)
                .containsExactly(
                        "large.txt is larger than 4 bytes; raise maxFileBytes to read it",
                        "latin.txt is not UTF-8; convert it",
                        "nul.txt holds a NUL character and so is no text",
                        "overlong.txt is not UTF-8; convert it",
                        "wide.txt is not UTF-8; convert it");
        assertThat(found.expected).isEqualTo(6);
    }

    @Test
    void otherEndingsCanBeAskedFor() throws IOException {
        write("a.rst", "a");
        write("b.md", "b");
        FolderOptions options =
                FolderOptions.builder().extensions(Set.of("RST")).build();
        DocumentSource.folder(folder, options).read(found);
        assertThat(found.ids()).containsExactly("a.rst");
    }

    @Test
    void theNameIsTheAbsolutePathUnlessOneIsGiven() {
        assertThat(DocumentSource.folder(folder).name()).isEqualTo(folder.toString());
        assertThat(DocumentSource.folder(folder.resolve("a#b")).name()).isEqualTo(folder + "/a%23b");
        FolderOptions named = FolderOptions.builder().name("docs").build();
        assertThat(DocumentSource.folder(folder, named).name()).isEqualTo("docs");
    }

    @Test
    void aFolderThatIsNotThereIsAnErrorAndNotAnEmptySource() throws IOException {
        Path absent = folder.resolve("absent");
        assertThatThrownBy(() -> DocumentSource.folder(absent).read(found))
                .isInstanceOf(StorageException.class)
                .hasMessage("Folder " + absent + " cannot be read; check the path and its permissions");
        Path file = write("file.md", "x");
        assertThatThrownBy(() -> DocumentSource.folder(file).read(found))
                .isInstanceOf(StorageException.class)
                .hasMessage(file + " is not a folder; give the folder that holds the documents");
    }

    @Test
    void optionsAreChecked() {
        assertThat(FolderOptions.builder().build()).isEqualTo(FolderOptions.DEFAULTS);
        assertThat(FolderOptions.DEFAULTS)
                .isEqualTo(new FolderOptions(Optional.empty(), Set.of("md", "markdown", "txt"), 16 << 20));
        assertThatThrownBy(() -> FolderOptions.builder().maxFileBytes(0).build())
                .hasMessage("maxFileBytes must be in [1, 2^30] but was 0");
        assertThatThrownBy(
                        () -> FolderOptions.builder().extensions(Set.of(".md")).build())
                .hasMessage("extensions must be endings without a dot, such as md, but were [.md]");
    }

    private Path write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    private static final class Collected implements DocumentSink {
        private final List<Document> documents = new ArrayList<>();
        private final List<String> skipped = new ArrayList<>();
        private long expected;

        @Override
        public void expect(long count) {
            expected = count;
        }

        @Override
        public void document(Document document) {
            documents.add(document);
        }

        @Override
        public void skipped(String id, String reason) {
            skipped.add(id + " " + reason);
        }

        List<String> ids() {
            return documents.stream().map(Document::id).toList();
        }
    }
}
