package dev.pollux.samples;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.targetOwner;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.conditions.ArchConditions.have;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import dev.pollux.PolluxException;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules of this project's style that a machine can check, over the main classes of all modules. */
class ArchitectureTest {

    private static final JavaClasses ALL = modules(
            "core",
            "inference",
            "rag",
            "rag/documents",
            "rag/langchain4j",
            "rag/spark",
            "rag/spring-ai",
            "rag/spring-boot-starter",
            "finetune-adapters",
            "testkit",
            "samples/starter",
            "samples");

    /** What hosts compile against. */
    private static final JavaClasses LIBRARY = modules(
            "core",
            "inference",
            "rag",
            "rag/documents",
            "rag/langchain4j",
            "rag/spark",
            "rag/spring-ai",
            "rag/spring-boot-starter",
            "finetune-adapters",
            "samples/starter");

    /** Whose purpose is to show the types of a framework. */
    private static final DescribedPredicate<JavaClass> OF_A_BRIDGE = resideInAnyPackage(
            "dev.pollux.langchain4j..", "dev.pollux.spark..", "dev.pollux.springai..", "dev.pollux.springboot..");

    /** The types that a signature may show: the JDK's, ours, and JSpecify's. */
    private static final DescribedPredicate<JavaClass> OURS_OR_JDK =
            resideInAnyPackage("java..", "javax.sql..", "dev.pollux..", "org.jspecify..");

    private static final DescribedPredicate<JavaClass> INTERNAL = resideInAnyPackage("..internal..");

    /** Whose threads stop to spin when a run ends, say. */
    @Test
    void everySessionIsOpenedWithTheCommonSettings() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName("dev.pollux.inference.internal.session.SessionSettings")
                .should()
                .callConstructor(OrtSession.SessionOptions.class)
                .orShould()
                .callMethod(OrtEnvironment.class, "createSession", String.class)
                .orShould()
                .callMethod(OrtEnvironment.class, "createSession", byte[].class)
                .orShould()
                .callMethod(OrtEnvironment.class, "createSession", ByteBuffer.class)
                .check(ALL);
    }

    @Test
    void packagesAreFreeOfCycles() {
        slices().assignedFrom(new OnePerPackage()).should().beFreeOfCycles().check(ALL);
    }

    @Test
    void coreKnowsOnlyTheJdkAndJSpecify() {
        JavaClasses core = modules("core");
        classes()
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage("java..", "jdk.incubator.vector..", "org.jspecify..")
                        .or(describe(
                                "are of core",
                                type -> core.contain(type.getBaseComponentType().getName())
                                        || type.getBaseComponentType().isPrimitive())))
                .check(core);
    }

    @Test
    void ragKnowsNeitherInferenceNorTraining() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.pollux.inference..", "dev.pollux.finetune..", "dev.pollux.finetune.merge..")
                .allowEmptyShould(true)
                .check(modules("rag", "rag/documents", "rag/langchain4j", "rag/spark", "rag/spring-ai"));
    }

    @Test
    void inferenceKnowsNeitherRagNorTraining() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.pollux.rag..", "dev.pollux.finetune..", "dev.pollux.finetune.merge..")
                .check(modules("inference"));
    }

    @Test
    void publicSignaturesShowOnlyOursAndTheJdk() {
        classes()
                .that(arePublicApi())
                .and(DescribedPredicate.not(OF_A_BRIDGE))
                .should(showOnly(OURS_OR_JDK.and(DescribedPredicate.not(INTERNAL))))
                .check(LIBRARY);
    }

    @Test
    void aBridgeShowsOneFrameworkMore() {
        DescribedPredicate<JavaClass> ours = OURS_OR_JDK.and(DescribedPredicate.not(INTERNAL));
        classes()
                .that(arePublicApi())
                .should(showOnly(ours.or(resideInAnyPackage("dev.langchain4j.."))))
                .check(modules("rag/langchain4j"));
        classes()
                .that(arePublicApi())
                .should(showOnly(ours.or(resideInAnyPackage("org.apache.spark.api.java.."))))
                .check(modules("rag/spark"));
        classes()
                .that(arePublicApi())
                .should(showOnly(
                        ours.or(resideInAnyPackage("org.springframework.ai..", "io.micrometer.observation.."))))
                .check(modules("rag/spring-ai"));
        classes().that(arePublicApi()).should(showOnly(ours)).check(modules("rag/spring-boot-starter"));
    }

    @Test
    void onlyBridgesKnowFrameworks() {
        noClasses()
                .that(DescribedPredicate.not(OF_A_BRIDGE))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.langchain4j..",
                        "org.apache.spark..",
                        "org.springframework..",
                        "reactor..",
                        "io.micrometer..")
                .check(ALL);
    }

    @Test
    void servicesAreMadeByFactories() {
        classes()
                .that(arePublicApi())
                .and()
                .areNotRecords()
                .and()
                .areNotAssignableTo(Throwable.class)
                .should(have(describe(
                        "no public constructor",
                        type -> type.getConstructors().stream()
                                .noneMatch(constructor ->
                                        constructor.getModifiers().contains(JavaModifier.PUBLIC)))))
                .check(LIBRARY);
    }

    /** A record's constructor is public and names every component, so that no option could be added. */
    @Test
    void optionsAreNoRecords() {
        classes()
                .that(arePublicApi())
                .and()
                .haveNameMatching(".*(Options|Limits)")
                .should()
                .notBeRecords()
                .andShould()
                .haveModifier(JavaModifier.FINAL)
                .check(LIBRARY);
    }

    @Test
    void everyPackageIsNullMarked() {
        Set<JavaPackage> packages =
                ALL.stream().map(JavaClass::getPackage).collect(toCollection(ArchitectureTest::byName));

        assertThat(packages)
                .allSatisfy(p -> assertThat(p.isAnnotatedWith(NullMarked.class))
                        .as("package %s has a package-info with @NullMarked", p.getName())
                        .isTrue());
    }

    @Test
    void everyExceptionHasOneRoot() {
        classes()
                .that()
                .areAssignableTo(Throwable.class)
                .and()
                .arePublic() // one that never leaves its package is its own affair
                .should()
                .beAssignableTo(PolluxException.class)
                .check(LIBRARY);
    }

    @Test
    void noExceptionWithoutAMeaningIsThrown() {
        noClasses()
                .that()
                .areNotAssignableTo(Throwable.class)
                .should()
                .callConstructorWhere(targetOwner(
                        type(RuntimeException.class).or(type(Exception.class)).or(type(Error.class))))
                .check(LIBRARY);
    }

    @Test
    void librariesPrintNothing() {
        NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(modules(
                "core",
                "inference",
                "rag",
                "rag/documents",
                "rag/langchain4j",
                "rag/spark",
                "rag/spring-ai",
                "rag/spring-boot-starter",
                "finetune-adapters",
                "testkit",
                "samples/starter"));
    }

    @Test
    void librariesLogThroughThePlatformLoggerOnly() {
        NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING.check(LIBRARY);
    }

    @Test
    void nothingIsKeptPerThread() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .areAssignableTo(ThreadLocal.class)
                .check(ALL);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Utils", "Util", "Helper", "Manager", "Impl"})
    void noNameSaysNothing(String suffix) {
        noClasses().should().haveSimpleNameEndingWith(suffix).check(ALL);
    }

    /** Public, and so is everything around it, outside {@code internal}. */
    private static DescribedPredicate<JavaClass> arePublicApi() {
        return describe(
                "are public API",
                type -> !INTERNAL.test(type)
                        && Stream.iterate(
                                        type,
                                        outer -> outer != null,
                                        outer -> outer.getEnclosingClass().orElse(null))
                                .allMatch(outer -> isVisible(outer.getModifiers())));
    }

    private static ArchCondition<JavaClass> showOnly(DescribedPredicate<? super JavaClass> allowed) {
        return new ArchCondition<>("show only types that are ours or the JDK's") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                Stream<JavaType> above = Stream.concat(type.getSuperclass().stream(), type.getInterfaces().stream());
                require(type.getFullName(), above, events);
                Stream.<JavaMember>concat(type.getFields().stream(), type.getCodeUnits().stream())
                        .filter(member -> isVisible(member.getModifiers()))
                        .forEach(member -> require(member.getFullName(), shown(member), events));
            }

            private void require(String what, Stream<JavaType> shown, ConditionEvents events) {
                shown.flatMap(t -> t.getAllInvolvedRawTypes().stream())
                        .map(JavaClass::getBaseComponentType)
                        .filter(t -> !t.isPrimitive() && !allowed.test(t))
                        .distinct()
                        .forEach(t ->
                                events.add(SimpleConditionEvent.violated(what, what + " shows " + t.getFullName())));
            }
        };
    }

    private static Stream<JavaType> shown(JavaMember member) {
        if (member instanceof JavaCodeUnit unit) {
            return Stream.of(
                            Stream.of(unit.getReturnType()),
                            unit.getParameterTypes().stream(),
                            unit.getExceptionTypes().stream())
                    .flatMap(types -> types);
        }
        return Stream.of(member instanceof JavaField field ? field.getType() : member.getOwner());
    }

    private static boolean isVisible(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
    }

    private static Set<JavaPackage> byName() {
        return new TreeSet<>(Comparator.comparing(JavaPackage::getName));
    }

    /** The main classes of these modules, from their build folders: jars in a whole build, classes in a partial one. */
    private static JavaClasses modules(String... names) {
        ImportOption here = new ImportOption() {
            @Override
            public boolean includes(Location location) {
                return List.of(names).stream().anyMatch(name -> location.contains("/" + name + "/target/"))
                        && !location.contains("/test-classes/");
            }
        };
        return new ClassFileImporter().withImportOption(here).importPackages("dev.pollux");
    }

    /** A slice for each package, the base package included. */
    private static final class OnePerPackage implements SliceAssignment {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass type) {
            return type.getPackageName().startsWith("dev.pollux")
                    ? SliceIdentifier.of(type.getPackageName())
                    : SliceIdentifier.ignore();
        }

        @Override
        public String getDescription() {
            return "packages";
        }
    }
}
