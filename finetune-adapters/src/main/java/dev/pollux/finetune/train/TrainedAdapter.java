package dev.pollux.finetune.train;

import dev.pollux.artifact.WorkFolder;
import dev.pollux.finetune.internal.training.LoraModule;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Parameter.Kind;
import dev.pollux.finetune.internal.training.Residuals;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.inference.adapter.PeftConfig;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A trained adapter in memory. <em>Thread-safe.</em> */
public final class TrainedAdapter {

    private final Trainables trainables;
    private final PeftConfig settings;

    private TrainedAdapter(Trainables trainables, PeftConfig settings) {
        this.trainables = trainables;
        this.settings = settings;
    }

    /** An adapter of the unchanged model; one that was trained over reduced matrices gets their product back. */
    static TrainedAdapter of(Trainables trainables, Residuals residuals, PeftConfig settings) {
        Trainables values = trainables.copy();
        return new TrainedAdapter(residuals.isEmpty() ? values : converted(values, residuals), settings);
    }

    /** s (B A − B₀ A₀) as one product of twice the rank: [B, −B₀] and [A; A₀]. */
    private static Trainables converted(Trainables trained, Residuals residuals) {
        Map<String, LoraModule> first = new HashMap<>();
        residuals.modules().forEach(module -> first.put(module.tensor(), module));
        List<LoraModule> modules = new ArrayList<>();
        for (LoraModule module : trained.modules()) {
            LoraModule before = first.get(module.tensor());
            modules.add(before == null ? module : joined(module, before));
        }
        return new Trainables(modules, trained.tensors(), trained.dropout());
    }

    private static LoraModule joined(LoraModule module, LoraModule before) {
        int rank = module.rank();
        int rows = module.rows();
        int columns = module.columns();
        float[] a = new float[2 * rank * columns];
        System.arraycopy(module.a().values(), 0, a, 0, rank * columns);
        System.arraycopy(before.a().values(), 0, a, rank * columns, rank * columns);
        float[] b = new float[rows * 2 * rank];
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < rank; i++) {
                b[row * 2 * rank + i] = module.b().values()[row * rank + i];
                b[row * 2 * rank + rank + i] = -before.b().values()[row * rank + i];
            }
        }
        String tensor = module.tensor();
        return new LoraModule(
                tensor,
                module.scale(),
                new Parameter(tensor, Kind.A, List.of(2L * rank, (long) columns), a),
                new Parameter(tensor, Kind.B, List.of((long) rows, 2L * rank), b),
                module.bias(),
                module.magnitude());
    }

    Trainables trainables() {
        return trainables;
    }

    /** The number of its parameters. */
    public long parameters() {
        return trainables.parameters().stream()
                .mapToLong(parameter -> parameter.values().length)
                .sum();
    }

    /**
     * Saves it in PEFT's format.
     *
     * @param folder a folder that must not exist or be empty; it appears only when complete
     * @throws dev.pollux.StorageException if it cannot be written
     */
    public void save(Path folder) {
        WorkFolder.publish(folder, JobContext.NONE, work -> {
            AdapterFile.save(work, trainables, settings);
            return folder;
        });
    }
}
