package dev.pollux.hosts.quarkus;

import dev.pollux.hosts.Application;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.annotations.QuarkusMain;

/** A Quarkus application that asks Pollux a question. */
@QuarkusMain
public class QuarkusHost implements QuarkusApplication {

    @Override
    public int run(String... args) throws Exception {
        Application.main(args);
        return 0;
    }
}
