package dev.pollux.merge;

import static org.assertj.core.api.Assertions.fail;

import dev.pollux.testkit.ReferenceData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;

/** The side tools' sets, whose cases are named here until the tools exist. */
class SideToolsGoldenTest {

    @TestFactory
    Stream<DynamicTest> mixturesOfExpertsAreBuilt() {
        Path set = ReferenceData.golden("merge").resolve("moe");
        return ReferenceData.cases(set, Files::isDirectory).stream().map(folder -> unsupported(folder, "MoE assembly"));
    }

    private static DynamicTest unsupported(Path file, String what) {
        String name = file.getFileName().toString();
        return DynamicTest.dynamicTest(name, () -> {
            if (!Files.exists(file)) {
                fail(file + " is gone");
            }
            throw new TestAbortedException(what + " is not supported yet: case " + name);
        });
    }
}
