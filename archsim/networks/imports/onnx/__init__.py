"""ONNX models: a reader, and what it makes of their nodes."""
