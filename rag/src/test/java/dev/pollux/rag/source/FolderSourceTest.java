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
        write("LICENSES", "r");
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
                        "elsewhere/ is a link out of the folder; read that folder as well",
                        "dangling.md is a link to nothing",
                        "escape.md is a link out of the folder");
    }

    @Test
    void aByteOrderMarkIsNoText() throws IOException {
        write("bom.txt", "\uFEFFtext");
        DocumentSource.folder(folder).read(found);
        assertThat(found.documents.get(0).text()).isEqualTo("text");
    }

    @Test
    void whatIsNoTextIsSkippedWithItsReason() throws IOException {
        Files.write(folder.resolve("overlong.txt"), new byte[] {(byte) 0xC0, (byte) 0x81});
        write("nul.txt", "a\0b");
        write("large.txt", "12345");
        write("good.txt", "1234");
        FolderOptions options = FolderOptions.builder().maxFileBytes(4).build();
        DocumentSource.folder(folder, options).read(found);
        assertThat(found.ids()).containsExactly("good.txt");
        assertThat(found.skipped)
                .containsExactly(
                        "large.txt is larger than 4 bytes; raise maxFileBytes to read it",
                        "nul.txt is binary and no text",
                        "overlong.txt is in no encoding that is known here (UTF-8, UTF-16, UTF-32, Windows-1252); convert"
                                + " it to UTF-8");
        assertThat(found.expected).isEqualTo(4);
    }

    @Test
    void textsOfManyTypesAreRead() throws IOException {
        for (String name : List.of("a.rst", "b.adoc", "c.org", "d.tex", "e.csv", "f.log", "g.text", "README", "faq")) {
            write(name, "plain");
        }
        for (String name : List.of("h.mdx", "i.Rmd", "j.mkd", "k.markdown")) {
            write(name, "marked");
        }
        DocumentSource.folder(folder).read(found);
        assertThat(found.documents)
                .hasSize(13)
                .allSatisfy(document -> assertThat(document.mediaType())
                        .isEqualTo(document.text().equals("plain") ? "text/plain" : "text/markdown"));
    }

    @Test
    void whatIsNotReadIsToldWithItsKind() throws IOException {
        for (String name : List.of("a.pdf", "b/c.HTM", "d.docx", "e.png", "Makefile", "f.md")) {
            write(name, "x");
        }
        DocumentSource.folder(folder).read(found);
        assertThat(found.ids()).containsExactly("f.md");
        assertThat(found.unread).containsExactly("Makefile ", "a.pdf PDF", "b/c.HTM HTML", "d.docx DOCX", "e.png ");
        assertThat(found.skipped).isEmpty();
    }

    @Test
    void patternsChooseFiles() throws IOException {
        for (String name : List.of("a.md", "b.lua", "guides/c.md", "guides/old/d.md", "guides/e.txt", "f.pdf")) {
            write(name, "x");
        }
        assertThat(idsUnder(List.of(), List.of())).hasSize(4);
        assertThat(idsUnder(List.of("*.MD"), List.of())).containsExactly("a.md", "guides/c.md", "guides/old/d.md");
        assertThat(idsUnder(List.of("guides/"), List.of("old"))).containsExactly("guides/c.md", "guides/e.txt");
        assertThat(idsUnder(List.of("guides/*.md"), List.of())).containsExactly("guides/c.md");
        assertThat(idsUnder(List.of("/*.md"), List.of())).containsExactly("a.md");
        assertThat(idsUnder(List.of("*.lua"), List.of())).containsExactly("b.lua");
        assertThat(idsUnder(List.of("*.pdf"), List.of())).isEmpty();
        assertThat(idsUnder(List.of(), List.of("*.md", "!c.md"))).containsExactly("guides/c.md", "guides/e.txt");
        assertThat(idsUnder(List.of(), List.of("guides/**"))).containsExactly("a.md");
        assertThat(idsUnder(List.of("*", "!*.txt"), List.of("guides/old/"))).containsExactly("a.md", "guides/c.md");
    }

    private List<String> idsUnder(List<String> include, List<String> exclude) {
        Collected collected = new Collected();
        FolderOptions options =
                FolderOptions.builder().include(include).exclude(exclude).build();
        DocumentSource.folder(folder, options).read(collected);
        return collected.ids();
    }

    @Test
    void whatGitIgnoresIsLeftOut() throws IOException {
        write(".gitignore", "build/\n*.log\n!keep.log\n/top.md\n# note\n");
        write("sub/.gitignore", "!top.log\nsecret*\n");
        for (String name : List.of(
                "a.md", "top.md", "sub/top.md", "build/b.md", "x.log", "keep.log", "sub/top.log", "sub/secret.md")) {
            write(name, name);
        }
        DocumentSource.folder(folder).read(found);
        assertThat(found.ids()).containsExactly("a.md", "keep.log", "sub/top.log", "sub/top.md");
        assertThat(found.unread)
                .containsExactly(
                        "build/ is left out by .gitignore",
                        "sub/secret.md is left out by .gitignore",
                        "top.md is left out by .gitignore",
                        "x.log is left out by .gitignore");
        Collected all = new Collected();
        DocumentSource.folder(folder, FolderOptions.builder().gitignore(false).build())
                .read(all);
        assertThat(all.ids()).hasSize(8);
    }

    @Test
    void aRepositorysRulesHoldForAFolderInItAndOthersDoNot() throws IOException {
        write(".gitignore", "*.log\n");
        write("repo/.gitignore", "/docs/drafts/\nbuild/\n/site/*\n");
        Files.createDirectories(folder.resolve("repo/.git"));
        for (String name : List.of("docs", "build", "site")) {
            write("repo/" + name + "/a.log", "a");
            write("repo/" + name + "/drafts/b.md", "b");
        }
        assertThat(idsIn("repo/docs")).containsExactly("a.log");
        assertThat(idsIn("repo/build")).containsExactly("a.log", "drafts/b.md");
        assertThat(idsIn("repo/site")).containsExactly("a.log", "drafts/b.md");
        assertThat(idsIn("repo")).containsExactly("docs/a.log");
    }

    private List<String> idsIn(String name) {
        Collected collected = new Collected();
        DocumentSource.folder(folder.resolve(name)).read(collected);
        return collected.ids();
    }

    @Test
    void oldFormatsOfOfficeAreNamedWithTheOneToSaveThemIn() throws IOException {
        for (String name : List.of("a.doc", "b.XLS", "c.ppt", "d.msg", "e.pages")) {
            write(name, "x");
        }
        DocumentSource.folder(folder).read(found);
        assertThat(found.unread)
                .containsExactly(
                        "a.doc DOC is in the old Word format, which is not read; save it as .docx",
                        "b.XLS XLS is in the old Excel format, which is not read; save it as .xlsx",
                        "c.ppt PPT is in the old PowerPoint format, which is not read; save it as .pptx",
                        "d.msg MSG is an Outlook message, which is not read; save it as .eml",
                        "e.pages PAGES");
    }

    @Test
    void aFileIsASourceOfOneDocument() throws IOException {
        Path file = write("notes/plan.unknown", "The plan.");
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        DocumentSource source = DocumentSource.file(link);
        source.read(found);
        assertThat(found.documents)
                .containsExactly(new Document(
                        "plan.unknown", file.toRealPath().toString(), "text/plain", "The plan.", java.util.Map.of()));
        assertThat(source.name()).isEqualTo("plan.unknown");
        assertThat(source.path()).isEqualTo(file.toRealPath().toString());
        Path absent = folder.resolve("absent.md");
        assertThatThrownBy(() -> DocumentSource.file(absent).read(found))
                .isInstanceOf(StorageException.class)
                .hasMessage("File " + absent + " cannot be read; check the path and its permissions");
    }

    @Test
    void aFolderIsItsRealPathHoweverItIsNamed() throws IOException {
        Path real = Files.createDirectories(folder.resolve("re#al")).toRealPath();
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        for (Path path : List.of(real, link, folder.resolve("re#al/../link/."), Path.of(real + "/"))) {
            DocumentSource source = DocumentSource.folder(path);
            assertThat(source.path()).isEqualTo(real.toString());
            assertThat(source.name()).isEqualTo("re_al");
            assertThat(source.isNamed()).isFalse();
        }
        FolderOptions named = FolderOptions.builder().name("docs").build();
        assertThat(DocumentSource.folder(folder, named).name()).isEqualTo("docs");
        assertThat(DocumentSource.folder(folder, named).isNamed()).isTrue();
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
                .isEqualTo(FolderOptions.builder()
                        .include(List.of())
                        .exclude(List.of())
                        .gitignore(true)
                        .maxFileBytes(16 << 20)
                        .build());
        assertThatThrownBy(() -> FolderOptions.builder().maxFileBytes(0).build())
                .hasMessage("maxFileBytes must be in [1, 2^30] but was 0");
        assertThatThrownBy(() -> FolderOptions.builder().include(List.of("")).build())
                .hasMessage("include must hold patterns of paths, such as *.md or guides/, but held ''");
    }

    private Path write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    private static final class Collected implements DocumentSink {
        private final List<Document> documents = new ArrayList<>();
        private final List<String> skipped = new ArrayList<>();
        private final List<String> unread = new ArrayList<>();
        private final List<String> notices = new ArrayList<>();
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

        @Override
        public void unread(String id, String kind, String reason) {
            unread.add(id + " " + kind + (reason.contains("type") ? "" : kind.isEmpty() ? reason : " " + reason));
        }

        @Override
        public void notice(String id, String message) {
            notices.add(id + " " + message);
        }

        List<String> ids() {
            return documents.stream().map(Document::id).toList();
        }
    }
}
