package dev.pollux.samples.cli;

import dev.pollux.inference.device.Device;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code cpu}, {@code cuda:1} and the like. */
final class DeviceConverter implements ITypeConverter<Device> {

    @Override
    public Device convert(String value) {
        try {
            return Device.parse(value);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
