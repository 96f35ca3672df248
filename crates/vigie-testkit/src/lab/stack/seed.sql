-- What the construction addon keeps, with a few rows to find again after a restore.
CREATE TABLE IF NOT EXISTS shared_blueprints (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  owner_steamid VARCHAR(32) NOT NULL,
  owner_name VARCHAR(64) NOT NULL,
  name VARCHAR(128) NOT NULL,
  description TEXT,
  data MEDIUMTEXT NOT NULL,
  prop_count INT UNSIGNED NOT NULL DEFAULT 0,
  is_public TINYINT(1) NOT NULL DEFAULT 0,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  KEY by_owner (owner_steamid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS blueprint_permissions (
  blueprint_id INT UNSIGNED NOT NULL,
  steamid VARCHAR(32) NOT NULL,
  permission ENUM('view', 'use', 'edit') NOT NULL DEFAULT 'view',
  PRIMARY KEY (blueprint_id, steamid),
  FOREIGN KEY (blueprint_id) REFERENCES shared_blueprints (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

INSERT INTO shared_blueprints (id, owner_steamid, owner_name, name, description, data, prop_count, is_public) VALUES
  (1, 'STEAM_0:0:1001', 'Maçon', 'Pont de bois', 'Six travées', '{"props":[{"model":"models/props_c17/bench01a.mdl"}]}', 1, 1),
  (2, 'STEAM_0:1:1002', 'Grutier', 'Tour à étages', NULL, '{"props":[]}', 0, 0),
  (3, 'STEAM_0:0:1003', 'Architecte', 'Garage', 'Deux places', '{"props":[]}', 0, 1);

INSERT INTO blueprint_permissions (blueprint_id, steamid, permission) VALUES
  (1, 'STEAM_0:1:1002', 'edit'),
  (2, 'STEAM_0:0:1003', 'use');
