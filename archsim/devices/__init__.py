"""Models of one memory device: conductance in, conductance out.

They know neither pairs, tiles, clocks nor joules: `archsim.analog` pairs devices, the chip's clock tells the time.
All quantities are SI: conductance in siemens, time in seconds.
"""
