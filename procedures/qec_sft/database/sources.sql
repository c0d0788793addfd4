-- Who wrote each entry. Before QEC nobody had to say.
UPDATE audit_log SET source = CASE id % 4 WHEN 0 THEN 'qec-enhanced' WHEN 1 THEN NULL WHEN 2 THEN 'api' ELSE 'batch' END;
