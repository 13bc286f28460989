package dev.pollux.samples.cli;

import dev.pollux.starter.DocumentTwin;
import dev.pollux.starter.DocumentTwinOptions;
import dev.pollux.twin.TwinOptions;

/** The twin selected by a command line. */
record TwinSession(DocumentOptions documents, TwinSettings settings, ModelOptions model, ResourceOptions resources) {

    /** Opens it; the caller closes it. */
    DocumentTwin open(PolluxCommand command, TwinOptions twin) {
        model.check();
        DocumentTwinOptions.Builder options = documents
                .twin(command, resources)
                .engine(model.engine(command, resources))
                .adapters(model.adapters(command, resources))
                .persona(settings.persona())
                .twin(twin);
        model.named().ifPresent(options::model);
        settings.filter().ifPresent(options::filter);
        settings.reranker().ifPresent(options::reranker);
        return command.run(DocumentTwin.openJob(options.build()));
    }
}
