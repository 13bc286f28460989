package dev.pollux.samples.docs;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/** What the POMs say: version, modules, artifacts, profiles and properties, to hold the documents to. */
final class MavenBuild {

    private static final Set<String> GOALS = Set.of(
            "clean",
            "compile",
            "test-compile",
            "test",
            "package",
            "verify",
            "install",
            "deploy",
            "spotless:apply",
            "javadoc:aggregate",
            "pitest:mutationCoverage",
            "versions:set");

    private static final Pattern COORDINATES = Pattern.compile("\"([\\w.-]+):([\\w.-]+):([\\w.-]+)\"");

    private final String group;
    private final String version;
    private final Set<String> modules = new TreeSet<>();
    private final Set<String> artifacts = new TreeSet<>();
    private final Set<String> profiles = new TreeSet<>();
    private final Set<String> properties = new TreeSet<>();

    /** Reads the POM of {@code root} and those of its modules. */
    MavenBuild(Path root) throws IOException {
        Element parent = xml(Files.readString(root.resolve("pom.xml")));
        group = text(parent, "groupId");
        version = text(parent, "version");
        children(child(parent, "properties")).forEach(p -> properties.add(p.getTagName()));
        children(child(parent, "profiles")).forEach(p -> profiles.add(text(p, "id")));
        for (Element module : children(child(parent, "modules"))) {
            String name = module.getTextContent().strip();
            modules.add(name);
            Element child = xml(Files.readString(root.resolve(name).resolve("pom.xml")));
            artifacts.add(text(child, "artifactId"));
            children(child).stream()
                    .filter(e -> e.getTagName().equals("profiles"))
                    .flatMap(all -> children(all).stream())
                    .forEach(p -> profiles.add(text(p, "id")));
        }
    }

    /** Fails unless every dependency on this project's group names an artifact of this build, with its version or none. */
    void checkXml(String fragment) throws IOException {
        Element document = xml("<fragment>" + fragment + "</fragment>");
        var dependencies = document.getElementsByTagName("dependency");
        for (int i = 0; i < dependencies.getLength(); i++) {
            Element dependency = (Element) dependencies.item(i);
            if (!text(dependency, "groupId").equals(group)) {
                continue;
            }
            require("artifactId", text(dependency, "artifactId"), artifacts);
            String stated = text(dependency, "version");
            if (!stated.isEmpty() && !stated.equals(version)) {
                throw new AssertionError("version must be " + version + " but was " + stated);
            }
        }
    }

    /**
     * Fails unless every coordinate of this project's group in a script of Gradle names an artifact of this build and its
     * version, and what is opened is closed.
     */
    void checkGradle(String script) {
        COORDINATES.matcher(script).results().forEach(coordinate -> {
            if (coordinate.group(1).equals(group)) {
                require("artifact", coordinate.group(2), artifacts);
                if (!coordinate.group(3).equals(version)) {
                    throw new AssertionError("version must be " + version + " but was " + coordinate.group(3));
                }
            }
        });
        for (String pair : List.of("{}", "()")) {
            long opened = script.chars().filter(c -> c == pair.charAt(0)).count();
            long closed = script.chars().filter(c -> c == pair.charAt(1)).count();
            if (opened != closed) {
                throw new AssertionError(
                        "as many of " + pair.charAt(0) + " as of " + pair.charAt(1) + " must stand there");
            }
        }
    }

    /** Fails unless the words after {@code mvn} name goals, modules, profiles and properties of this build. */
    void checkCommand(List<String> words) {
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (word.equals("-pl")) {
                for (String module : words.get(++i).split(",")) {
                    require("module", module, modules);
                }
            } else if (word.startsWith("-P")) {
                for (String profile : word.substring(2).split(",")) {
                    require("profile", profile, profiles);
                }
            } else if (word.startsWith("-Dpollux.")) {
                require("property", word.substring(2).replaceFirst("=.*", ""), properties);
            } else if (!word.startsWith("-")) {
                require("goal", word, GOALS);
            }
        }
    }

    private static void require(String what, String value, Set<String> known) {
        if (!known.contains(value)) {
            throw new AssertionError(what + " must be one of " + known + " but was " + value);
        }
    }

    private static Element xml(String text) throws IOException {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            return factory.newDocumentBuilder()
                    .parse(new InputSource(new StringReader(text)))
                    .getDocumentElement();
        } catch (SAXException e) {
            throw new AssertionError("not well-formed XML: " + e.getMessage(), e);
        } catch (ParserConfigurationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Element> children(Element parent) {
        List<Element> found = new ArrayList<>();
        IntStream.range(0, parent.getChildNodes().getLength()).forEach(i -> {
            Node node = parent.getChildNodes().item(i);
            if (node instanceof Element element) {
                found.add(element);
            }
        });
        return found;
    }

    private static Element child(Element parent, String name) {
        return children(parent).stream()
                .filter(e -> e.getTagName().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(parent.getTagName() + " has no " + name));
    }

    private static String text(Element parent, String name) {
        return children(parent).stream()
                .filter(e -> e.getTagName().equals(name))
                .findFirst()
                .map(e -> e.getTextContent().strip())
                .orElse("");
    }
}
