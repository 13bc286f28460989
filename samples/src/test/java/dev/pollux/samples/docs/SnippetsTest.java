package dev.pollux.samples.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checks of {@link DocsTest} refuse what is wrong. */
class SnippetsTest {

    @TempDir
    Path temp;

    @Test
    void blocksCarryPlaceLanguageAndMarker() {
        List<CodeBlock> blocks = CodeBlock.of(
                "a.md", List.of("text", "<!-- continues -->", "```java", "int a;", "```", "~~~~", "```", "~~~~"));

        assertThat(blocks)
                .containsExactly(
                        new CodeBlock("a.md", 3, "java", "continues", "int a;"),
                        new CodeBlock("a.md", 6, "", "", "```"));
    }

    @Test
    void blockThatIsNotClosedFails() {
        assertThatThrownBy(() -> CodeBlock.of("a.md", List.of("```sh", "./pollux")))
                .hasMessage("a.md:1: the code block is not closed");
    }

    @Test
    void javaThatCompilesPassesAndWhatDoesNotNamesItsPlace() {
        JavaSnippets java = new JavaSnippets(temp);
        CodeBlock first = new CodeBlock("a.md", 3, "java", "", "Path path = Path.of(\"a\");");
        CodeBlock next = new CodeBlock(
                "a.md", 9, "java", "continues", "import java.util.function.Supplier;\nSupplier<Path> s = () -> path;");

        java.check(List.of(), first);
        java.check(List.of(first), next);

        assertThatThrownBy(() -> java.check(List.of(), next))
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("a.md:9 does not compile:")
                .hasMessageContaining("[in: Supplier<Path> s = () -> path;]");
    }

    @Test
    void wholeCompilationUnitIsCompiledAsItStands() {
        new JavaSnippets(temp)
                .check(List.of(), new CodeBlock("a.md", 1, "java", "", "public final class Twins {\n    int a;\n}"));

        assertThat(temp.resolve("Twins.class")).exists();
    }

    @Test
    void dependencyMustNameAnArtifactOfThisBuildWithItsVersion() throws IOException {
        MavenBuild build = build();

        build.checkXml(dependency("dev.pollux", "pollux-core", "1.2"));
        build.checkXml(dependency("org.example", "anything", "9"));

        assertThatThrownBy(() -> build.checkXml(dependency("dev.pollux", "pollux-cor", "1.2")))
                .hasMessage("artifactId must be one of [pollux-core] but was pollux-cor");
        assertThatThrownBy(() -> build.checkXml(dependency("dev.pollux", "pollux-core", "1.1")))
                .hasMessage("version must be 1.2 but was 1.1");
    }

    @Test
    void aScriptOfGradleMustNameAnArtifactOfThisBuildWithItsVersion() throws IOException {
        MavenBuild build = build();

        build.checkGradle("dependencies {\n    implementation(\"dev.pollux:pollux-core:1.2\")\n}");

        assertThatThrownBy(() -> build.checkGradle("implementation(\"dev.pollux:pollux-cor:1.2\")"))
                .hasMessage("artifact must be one of [pollux-core] but was pollux-cor");
        assertThatThrownBy(() -> build.checkGradle("implementation(\"dev.pollux:pollux-core:1\")"))
                .hasMessage("version must be 1.2 but was 1");
        assertThatThrownBy(() -> build.checkGradle("dependencies {"))
                .hasMessage("as many of { as of } must stand there");
    }

    @Test
    void mavenCommandMustNameWhatTheBuildHas() throws IOException {
        List<List<String>> seen = new ArrayList<>();
        ShellSnippets shell = new ShellSnippets(temp, build(), seen::add);

        shell.check("mvn -B verify -Dpollux.golden=/a\nJAVA_HOME=/b mvn -Plint -pl core test-compile # why");

        assertThatThrownBy(() -> shell.check("mvn -Pfast verify"))
                .hasMessage("'mvn -Pfast verify': profile must be one of [lint] but was fast");
        assertThatThrownBy(() -> shell.check("mvn verfy")).hasMessageContaining("goal must be one of");
        assertThatThrownBy(() -> shell.check("mvn -pl rug verify"))
                .hasMessage("'mvn -pl rug verify': module must be one of [core] but was rug");
        assertThatThrownBy(() -> shell.check("mvn -Dpollux.gold=a verify"))
                .hasMessage(
                        "'mvn -Dpollux.gold=a verify': property must be one of [pollux.golden] but was pollux.gold");
    }

    @Test
    void commandLineGetsTheWordsThatAShellWouldGive() throws IOException {
        List<List<String>> seen = new ArrayList<>();
        ShellSnippets shell = new ShellSnippets(temp, build(), seen::add);

        shell.check("./pollux ask --docs 'my docs' \\\n  \"How do I?\" | jq . > out.json\n"
                + "java -jar samples/target/pollux.jar chat");

        assertThat(seen).containsExactly(List.of("ask", "--docs", "my docs", "How do I?"), List.of("chat"));
    }

    @Test
    void commandWithoutACheckFails() throws IOException {
        ShellSnippets shell = new ShellSnippets(temp, build(), words -> {});

        assertThatThrownBy(() -> shell.check("docker run pollux"))
                .hasMessage("'docker run pollux': no check for the command docker; add one or leave it out");
        assertThatThrownBy(() -> shell.check("./missing"))
                .hasMessage("'./missing': ./missing must be an executable file of this project");
    }

    private MavenBuild build() throws IOException {
        Files.writeString(temp.resolve("pom.xml"), """
                <project><groupId>dev.pollux</groupId><version>1.2</version>
                <modules><module>core</module></modules>
                <properties><pollux.golden>x</pollux.golden></properties>
                <profiles><profile><id>lint</id></profile></profiles></project>
                """);
        Files.createDirectories(temp.resolve("core"));
        Files.writeString(temp.resolve("core/pom.xml"), "<project><artifactId>pollux-core</artifactId></project>");
        return new MavenBuild(temp);
    }

    private static String dependency(String group, String artifact, String version) {
        return "<dependency><groupId>" + group + "</groupId><artifactId>" + artifact + "</artifactId><version>"
                + version + "</version></dependency>";
    }
}
