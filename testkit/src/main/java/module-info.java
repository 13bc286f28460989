/** Contract tests, fakes, reference data and leak checks, for Pollux and for implementations of its interfaces. */
module dev.pollux.testkit {
    requires transitive dev.pollux.core;
    requires transitive org.assertj.core;
    requires transitive org.junit.jupiter.api;
    requires static transitive org.jspecify;

    exports dev.pollux.testkit;
}
